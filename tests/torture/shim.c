/* Preloaded into the processes of the campaign: makes calls on files below one folder fail with a chosen error, and
 * keeps a journal of what changes there, so that a power cut can take back what had not reached the disk.
 *
 * Nothing happens until torture_begin is called. The calls themselves are the C library's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, READ = 2, WRITE = 4, NAME = 8, SYNC = 16, LOOK = 32 };
enum { FDS = 65536 };

static char root[PATH_MAX], shadow[PATH_MAX];
static size_t root_length;
static int journal = -1, failure, kinds, shorten;
static long fail_from, fail_count, seen, saved;
static char inside[FDS], dirty[FDS];
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* journal_path: "" for none. From the fail_from-th call of the chosen kinds on, fail_count calls end with `error`. */
void torture_begin(const char *folder, const char *journal_path, const char *shadow_folder, int chosen_kinds, int error,
                   long from, long count, int only_shorten) {
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    snprintf(shadow, sizeof shadow, "%s", shadow_folder);
    kinds = chosen_kinds, failure = error, fail_from = from, fail_count = count, shorten = only_shorten, seen = 0;
    if (*journal_path) journal = open(journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

long torture_calls(void) { return seen; }

static int is_inside(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static const char *absolute(int folder, const char *path, char *buffer) {
    if (!root_length || !path) return "";
    if (path[0] == '/') return path;
    char link[64];
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return "";
    snprintf(buffer + length, PATH_MAX - length, "/%s", path);
    return buffer;
}

static const char *path_of(int fd, char *buffer) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    buffer[length < 0 ? 0 : length] = 0;
    return buffer;
}

static int is_known(int fd) { return root_length && fd >= 0 && fd < FDS && inside[fd]; }

static int fails(int kind) {
    if (!failure || shorten || !(kinds & kind)) return 0;
    long number = __sync_add_and_fetch(&seen, 1);
    if (number < fail_from || number >= fail_from + fail_count) return 0;
    errno = failure;
    return 1;
}

static size_t shortened(size_t length) {
    if (!shorten || length < 2) return length;
    long number = __sync_add_and_fetch(&seen, 1);
    return number >= fail_from && number < fail_from + fail_count ? length / 2 : length;
}

/* Between begin_change and end_change no other process of the campaign changes anything, so that the journal is in the
 * order of the changes. */
static int begin_change(void) {
    if (journal < 0) return 0;
    pthread_mutex_lock(&one_at_a_time);
    flock(journal, LOCK_EX);
    return 1;
}

static void end_change(int held) {
    if (!held) return;
    int kept = errno;
    flock(journal, LOCK_UN);
    pthread_mutex_unlock(&one_at_a_time);
    errno = kept;
}

static void note(char what, const char *one, const char *other, const char *kept_as) {
    char line[3 * PATH_MAX + 8];
    int kept = errno;
    int length = snprintf(line, sizeof line, "%c\t%s\t%s\t%s\n", what, one, other, kept_as);
    if (write(journal, line, length) < 0) abort();
    errno = kept;
}

/* Keeps what a name holds now under a second name, which is written to `name`; an empty one where there is nothing. */
static void keep(const char *path, char *name, int copy) {
    int kept = errno;
    struct stat found;
    name[0] = 0;
    if (!lstat(path, &found) && S_ISREG(found.st_mode)) {
        snprintf(name, PATH_MAX, "%s/%d-%ld", shadow, getpid(), __sync_add_and_fetch(&saved, 1));
        if (copy) {
            int from = open(path, O_RDONLY), to = open(name, O_WRONLY | O_CREAT, 0600);
            char block[65536];
            for (ssize_t n; (n = read(from, block, sizeof block)) > 0;)
                if (write(to, block, n) != n) abort();
            close(from), close(to);
        } else if (link(path, name)) name[0] = 0;
    }
    errno = kept;
}

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < FDS) inside[fd] = is_inside(path), dirty[fd] = 0;
    return fd;
}

static int open_inside(int (*real)(int, const char *, int, ...), int folder, const char *path, const char *full, int flags,
                       mode_t mode) {
    if (!is_inside(full)) return opened(real(folder, path, flags, mode), full);
    if (fails(flags & (O_CREAT | O_TRUNC) ? OPEN | WRITE : OPEN)) return -1;
    if (journal < 0 || !(flags & (O_CREAT | O_TRUNC))) return opened(real(folder, path, flags, mode), full);
    int held = begin_change();
    char name[PATH_MAX];
    struct stat found;
    int was_there = !stat(full, &found);
    name[0] = 0;
    if (was_there && (flags & O_TRUNC) && found.st_size) keep(full, name, 1);
    int fd = opened(real(folder, path, flags, mode), full);
    if (fd >= 0 && !was_there) note('C', full, "", "");
    if (fd >= 0 && name[0]) note('T', full, "", name);
    end_change(held);
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

#define OPENS(name, at) \
    int name(const char *path, int flags, ...) { \
        MODE_OF(flags) \
        static int (*real)(int, const char *, int, ...); \
        if (!real) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, at); \
        char buffer[2 * PATH_MAX]; \
        return open_inside(real, AT_FDCWD, path, absolute(AT_FDCWD, path, buffer), flags, mode); \
    }
OPENS(open, "openat")
OPENS(open64, "openat64")

#define OPENS_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        MODE_OF(flags) \
        static int (*real)(int, const char *, int, ...); \
        if (!real) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        char buffer[2 * PATH_MAX]; \
        return open_inside(real, folder, path, absolute(folder, path, buffer), flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

int close(int fd) {
    REAL(close);
    if (fd >= 0 && fd < FDS) inside[fd] = dirty[fd] = 0;
    return real(fd);
}

static void written(int fd) {
    if (journal < 0 || dirty[fd]) return;
    char buffer[PATH_MAX];
    int held = begin_change();
    dirty[fd] = 1;
    note('W', path_of(fd, buffer), "", "");
    end_change(held);
}

#define WRITES(name, parameters, arguments) \
    ssize_t name parameters { \
        REAL(name); \
        if (!is_known(fd)) return real arguments; \
        if (fails(WRITE)) return -1; \
        written(fd); \
        length = shortened(length); \
        return real arguments; \
    }
WRITES(write, (int fd, const void *content, size_t length), (fd, content, length))
WRITES(pwrite, (int fd, const void *content, size_t length, off_t at), (fd, content, length, at))
WRITES(pwrite64, (int fd, const void *content, size_t length, off64_t at), (fd, content, length, at))

ssize_t sendfile64(int fd, int from, off64_t *at, size_t length) {
    REAL(sendfile64);
    if (is_known(fd)) {
        if (fails(WRITE)) return -1;
        written(fd);
        length = shortened(length);
    }
    return real(fd, from, at, length);
}
ssize_t sendfile(int fd, int from, off_t *at, size_t length) { return sendfile64(fd, from, (off64_t *)at, length); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    if (is_known(fd)) {
        if (fails(WRITE)) return -1;
        written(fd);
    }
    return real(fd, parts, count);
}

#define READS(name, parameters, arguments) \
    ssize_t name parameters { \
        REAL(name); \
        if (is_known(fd) && fails(READ)) return -1; \
        return real arguments; \
    }
READS(read, (int fd, void *content, size_t length), (fd, content, length))
READS(pread, (int fd, void *content, size_t length, off_t at), (fd, content, length, at))
READS(pread64, (int fd, void *content, size_t length, off64_t at), (fd, content, length, at))

static int synced(int fd, int (*real)(int)) {
    if (!is_known(fd)) return real(fd);
    if (fails(SYNC)) return -1;
    if (journal < 0) return real(fd);
    char buffer[PATH_MAX];
    int held = begin_change();
    dirty[fd] = 0; /* the journal stands for the disk: nothing has to reach a real one */
    note('S', path_of(fd, buffer), "", "");
    end_change(held);
    return 0;
}
int fsync(int fd) { REAL(fsync); return synced(fd, real); }
int fdatasync(int fd) { REAL(fdatasync); return synced(fd, real); }

static int moved(int one_folder, const char *one, int other_folder, const char *other, unsigned flags) {
    static int (*real)(int, const char *, int, const char *, unsigned);
    if (!real) real = (int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2");
    char first[2 * PATH_MAX], second[2 * PATH_MAX], name[PATH_MAX];
    const char *from = absolute(one_folder, one, first), *to = absolute(other_folder, other, second);
    if (!is_inside(from) && !is_inside(to)) return real(one_folder, one, other_folder, other, flags);
    if (fails(NAME)) return -1;
    if (journal < 0) return real(one_folder, one, other_folder, other, flags);
    int held = begin_change();
    name[0] = 0;
    if (!flags) keep(to, name, 0);
    int ended = real(one_folder, one, other_folder, other, flags);
    if (!ended) note(flags ? 'X' : 'R', from, to, name);
    end_change(held);
    return ended;
}
int rename(const char *one, const char *other) { return moved(AT_FDCWD, one, AT_FDCWD, other, 0); }
int renameat(int a, const char *one, int b, const char *other) { return moved(a, one, b, other, 0); }
int renameat2(int a, const char *one, int b, const char *other, unsigned flags) { return moved(a, one, b, other, flags); }

static int removed(int folder, const char *path, int flags) {
    static int (*real)(int, const char *, int);
    if (!real) real = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "unlinkat");
    char buffer[2 * PATH_MAX], name[PATH_MAX];
    const char *full = absolute(folder, path, buffer);
    if (!is_inside(full)) return real(folder, path, flags);
    if (fails(NAME)) return -1;
    if (journal < 0) return real(folder, path, flags);
    int held = begin_change();
    keep(full, name, 0);
    int ended = real(folder, path, flags);
    if (!ended) note(flags & AT_REMOVEDIR ? 'M' : 'U', full, "", name);
    end_change(held);
    return ended;
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return removed(folder, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    struct stat found;
    return removed(AT_FDCWD, path, !lstat(path, &found) && S_ISDIR(found.st_mode) ? AT_REMOVEDIR : 0);
}

static int made(int folder, const char *path, mode_t mode) {
    static int (*real)(int, const char *, mode_t);
    if (!real) real = (int (*)(int, const char *, mode_t))dlsym(RTLD_NEXT, "mkdirat");
    char buffer[2 * PATH_MAX];
    const char *full = absolute(folder, path, buffer);
    if (!is_inside(full)) return real(folder, path, mode);
    if (fails(NAME)) return -1;
    int held = begin_change(), ended = real(folder, path, mode);
    if (!ended && held) note('K', full, "", "");
    end_change(held);
    return ended;
}
int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return made(folder, path, mode); }

#define LOOKS(name, kind) \
    int name(const char *path, kind *found) { \
        REAL(name); \
        char buffer[2 * PATH_MAX]; \
        if (failure && is_inside(absolute(AT_FDCWD, path, buffer)) && fails(LOOK)) return -1; \
        return real(path, found); \
    }
LOOKS(stat, struct stat)
LOOKS(stat64, struct stat64)
