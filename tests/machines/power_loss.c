/* Turns the power off before the nth change of files below a folder: whoever tries to make it, or any later one, is killed.

   Loaded with LD_PRELOAD, it stands before the C library's functions that change files, for all threads and processes
   together. Each change is told in a journal before it is made. Python, SQLite and polars all call these functions.
   What is sent to a socket counts as a change of `database` in that folder: so libpq asks PostgreSQL for one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char MAKE[] = "make", REMOVE[] = "remove";
static char below[PATH_MAX];
static int journal = -1;
static long *shared; /* changes so far, and the one at which the power goes; 0 for never */

__attribute__((visibility("default"))) void power_loss_arm(const char *place) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/counter", place);
    int counter = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    snprintf(path, sizeof path, "%s/journal", place);
    journal = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    snprintf(below, sizeof below, "%s/data/", place);
    shared = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, counter, 0);
    if (shared == MAP_FAILED || journal < 0) abort();
}

__attribute__((constructor)) static void arm_from_environment(void) {
    const char *place = getenv("POWER_LOSS");
    if (place) power_loss_arm(place);
}

static void change(const char *what, const char *path, const char *other) {
    if (!shared || strncmp(path, below, strlen(below))) return;
    long number = __atomic_add_fetch(&shared[0], 1, __ATOMIC_SEQ_CST);
    if (shared[1] && number >= shared[1]) kill(getpid(), SIGKILL);
    char line[2 * PATH_MAX + 16];
    int size = snprintf(line, sizeof line, "%s\t%s\t%s\n", what, path, other);
    if (syscall(SYS_write, journal, line, size) != size) abort();
}

static void change_of(const char *what, int file) {
    char link[64], path[PATH_MAX];
    if (!shared) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return;
    path[size] = 0;
    if (!strncmp(path, "socket:", 7)) snprintf(path, sizeof path, "%sdatabase", below);
    change(what, path, "");
}

static const char *whole(int folder, const char *path, char *room) {
    char link[64];
    if (path[0] == '/') return path;
    if (folder == AT_FDCWD) {
        if (!getcwd(room, PATH_MAX)) return path;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t size = readlink(link, room, PATH_MAX - 1);
        room[size < 0 ? 0 : size] = 0;
    }
    strncat(room, "/", PATH_MAX - strlen(room) - 1);
    return strncat(room, path, PATH_MAX - strlen(room) - 1);
}

static void change_at(const char *what, int folder, const char *path) {
    char room[PATH_MAX];
    if (!shared) return;
    const char *place = whole(folder, path, room);
    int is_there = access(place, F_OK) == 0;
    if (is_there != (what == MAKE)) change(what, place, ""); /* else nothing changes */
}

#define NEXT(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

#define ON_FILE(type, name, what, arguments, ...) \
    type name arguments { change_of(what, file); return NEXT(type, name, __VA_ARGS__)
ON_FILE(ssize_t, write, "write", (int file, const void *b, size_t n), int, const void *, size_t)(file, b, n); }
ON_FILE(ssize_t, writev, "write", (int file, const struct iovec *v, int n), int, const struct iovec *, int)(file, v, n); }
ON_FILE(ssize_t, pwrite, "write", (int file, const void *b, size_t n, off_t o), int, const void *, size_t, off_t)(file, b, n, o); }
ON_FILE(ssize_t, pwrite64, "write", (int file, const void *b, size_t n, off64_t o), int, const void *, size_t, off64_t)(file, b, n, o); }
ON_FILE(int, ftruncate, "write", (int file, off_t n), int, off_t)(file, n); }
ON_FILE(int, ftruncate64, "write", (int file, off64_t n), int, off64_t)(file, n); }
ON_FILE(ssize_t, send, "send", (int file, const void *b, size_t n, int f), int, const void *, size_t, int)(file, b, n, f); }
ON_FILE(int, fsync, "sync", (int file), int)(file); }
ON_FILE(int, fdatasync, "sync", (int file), int)(file); }
ON_FILE(ssize_t, copy_file_range, "write", (int a, off64_t *p, int file, off64_t *q, size_t n, unsigned f), int, off64_t *, int, off64_t *, size_t, unsigned)(a, p, file, q, n, f); }
ON_FILE(ssize_t, sendfile, "write", (int file, int a, off_t *o, size_t n), int, int, off_t *, size_t)(file, a, o, n); }

#define RENAME(from, to) { char a[PATH_MAX], b[PATH_MAX]; if (shared) change("rename", whole(from, old, a), whole(to, new, b)); }
int rename(const char *old, const char *new) { RENAME(AT_FDCWD, AT_FDCWD) return NEXT(int, rename, const char *, const char *)(old, new); }
int renameat(int f, const char *old, int g, const char *new) { RENAME(f, g) return NEXT(int, renameat, int, const char *, int, const char *)(f, old, g, new); }
int renameat2(int f, const char *old, int g, const char *new, unsigned k) { RENAME(f, g) return NEXT(int, renameat2, int, const char *, int, const char *, unsigned)(f, old, g, new, k); }
int mkdir(const char *path, mode_t m) { change_at(MAKE, AT_FDCWD, path); return NEXT(int, mkdir, const char *, mode_t)(path, m); }
int unlink(const char *path) { change_at(REMOVE, AT_FDCWD, path); return NEXT(int, unlink, const char *)(path); }
int unlinkat(int f, const char *path, int k) { change_at(REMOVE, f, path); return NEXT(int, unlinkat, int, const char *, int)(f, path, k); }
int rmdir(const char *path) { change_at(REMOVE, AT_FDCWD, path); return NEXT(int, rmdir, const char *)(path); }

#define MODE va_list rest; va_start(rest, flags); mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; va_end(rest);
#define OPEN(name) \
    int name(const char *path, int flags, ...) { MODE if (flags & O_CREAT) change_at(MAKE, AT_FDCWD, path); \
        return NEXT(int, name, const char *, int, mode_t)(path, flags, mode); }
#define OPENAT(name) \
    int name(int f, const char *path, int flags, ...) { MODE if (flags & O_CREAT) change_at(MAKE, f, path); \
        return NEXT(int, name, int, const char *, int, mode_t)(f, path, flags, mode); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)
