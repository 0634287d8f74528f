/*
 * identity.c - users and groups: every process is root's; names for people.
 *
 * Owns the one password entry, made anew at each call as POSIX allows.  What may be done is decided
 * by capabilities and principals, not here.  Called by programs.
 */
#include "posix.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

uid_t getuid(void)
{
	return posix_self->uid;
}

uid_t geteuid(void)
{
	return posix_self->uid;
}

gid_t getgid(void)
{
	return posix_self->gid;
}

gid_t getegid(void)
{
	return posix_self->gid;
}

/* Root may become anybody; there is no way back. */
static int become(uint32_t *place, uint32_t id)
{
	if (posix_self->uid != 0 && *place != id) {
		errno = EPERM;
		return -1;
	}
	*place = id;
	reach_identity();
	return 0;
}

int setuid(uid_t uid)
{
	return become(&posix_self->uid, uid);
}

int seteuid(uid_t uid)
{
	return setuid(uid);
}

int setgid(gid_t gid)
{
	return become(&posix_self->gid, gid);
}

int setegid(gid_t gid)
{
	return setgid(gid);
}

int getgroups(int size, gid_t list[])
{
	if (size > 0)
		list[0] = posix_self->gid;
	return 1;
}

int issetugid(void);
int issetugid(void)
{
	return 0;
}

char *getlogin(void)
{
	static char name[] = "root";

	return name;
}

int getlogin_r(char *out, size_t size);
int getlogin_r(char *out, size_t size)
{
	static const char name[] = "root";

	if (size < sizeof(name))
		return ERANGE;
	memcpy(out, name, sizeof(name));
	return 0;
}

static struct passwd *root(void)
{
	static char name[] = "root", none[] = "", home[] = "/", shell[] = "/bin/sh";
	static struct passwd entry;

	entry = (struct passwd){
		.pw_name = name,
		.pw_passwd = none,
		.pw_comment = none,
		.pw_gecos = name,
		.pw_dir = home,
		.pw_shell = shell,
	};
	return &entry;
}

struct passwd *getpwuid(uid_t uid)
{
	return uid == 0 ? root() : NULL;
}

struct passwd *getpwnam(const char *name)
{
	return strcmp(name, "root") == 0 ? root() : NULL;
}

static struct group *root_group(void)
{
	static char name[] = "root", none[] = "", *members[] = {NULL};
	static struct group entry;

	entry = (struct group){.gr_name = name, .gr_passwd = none, .gr_mem = members};
	return &entry;
}

struct group *getgrgid(gid_t gid)
{
	return gid == 0 ? root_group() : NULL;
}

struct group *getgrnam(const char *name)
{
	return strcmp(name, "root") == 0 ? root_group() : NULL;
}

/* ---- into memory of the caller's ------------------------------------------------------------ */

/* Only names differ between entries; the other strings are constants. */
static int keep(char **name, char *text, size_t size)
{
	const size_t length = strlen(*name) + 1;

	if (length > size)
		return ERANGE;
	memcpy(text, *name, length);
	*name = text;
	return 0;
}

static int copy_user(const struct passwd *found, struct passwd *out, char *text, size_t size,
		     struct passwd **result)
{
	int error = 0;

	if (found) {
		*out = *found;
		error = keep(&out->pw_name, text, size);
	}
	*result = found && !error ? out : NULL;
	return error;
}

int getpwuid_r(uid_t uid, struct passwd *out, char *text, size_t size, struct passwd **result)
{
	return copy_user(getpwuid(uid), out, text, size, result);
}

int getpwnam_r(const char *name, struct passwd *out, char *text, size_t size,
	       struct passwd **result)
{
	return copy_user(getpwnam(name), out, text, size, result);
}

static int copy_group(const struct group *found, struct group *out, char *text, size_t size,
		      struct group **result)
{
	int error = 0;

	if (found) {
		*out = *found;
		error = keep(&out->gr_name, text, size);
	}
	*result = found && !error ? out : NULL;
	return error;
}

int getgrgid_r(gid_t gid, struct group *out, char *text, size_t size, struct group **result)
{
	return copy_group(getgrgid(gid), out, text, size, result);
}

int getgrnam_r(const char *name, struct group *out, char *text, size_t size, struct group **result)
{
	return copy_group(getgrnam(name), out, text, size, result);
}
