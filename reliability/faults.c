/* Calls that fail on order: a library to preload (LD_PRELOAD), for Linux with the GNU C library.

   Once faults_arm() was called, the calls of the chosen kinds that touch a file in the watched folder are counted, and
   the call of the given number fails with the given error; with `ever`, so do all that come after it, as on a full
   disk. Allocations and threads have no folder: they count from a least size on. Nothing else is changed. What is
   called from within the C library itself is not seen, but for the streams (fopen, fread, fwrite, fclose) below. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    OPEN_WRITE = 1 << 0, OPEN_READ = 1 << 1, WRITE = 1 << 2, READ = 1 << 3, SYNC = 1 << 4, RENAME = 1 << 5,
    MKDIR = 1 << 6, REMOVE = 1 << 7, MAP = 1 << 8, TRUNCATE = 1 << 9, CLOSE = 1 << 10, LIST = 1 << 11, LOCK = 1 << 12,
    STAT = 1 << 13, ALLOCATE = 1 << 14, THREAD = 1 << 15
};
#define SHORT (-1) /* instead of an error: half of what was asked for is read or written */

static char folder[PATH_MAX], here[PATH_MAX];
static size_t folder_length, least;
static unsigned kinds;
static long at;
static int error_number, ever;
static atomic_long count, counts[16];
static atomic_int fired;
static char fired_at[PATH_MAX + 32];

void faults_arm(const char *watched, unsigned which, long number, int error, int lasting, size_t least_bytes)
{
    strncpy(folder, watched, sizeof folder - 1);
    folder_length = strlen(folder);
    if (!getcwd(here, sizeof here)) here[0] = 0;
    at = number; error_number = error; ever = lasting; least = least_bytes;
    atomic_store(&count, 0);
    for (int i = 0; i < 16; i++) atomic_store(&counts[i], 0);
    atomic_store(&fired, 0);
    kinds = which;
}

void faults_disarm(void) { kinds = 0; }
long faults_count(unsigned kind) { return atomic_load(&counts[__builtin_ctz(kind)]); }
int faults_fired(void) { return atomic_load(&fired); }
const char *faults_place(void) { return fired_at; }

static int within(const char *path)
{
    return !strncmp(path, folder, folder_length) && (path[folder_length] == '/' || !path[folder_length]);
}

static const char *path_of(int descriptor, char *buffer)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, PATH_MAX - 1);
    buffer[n > 0 ? n : 0] = 0;
    return buffer;
}

/* Whether this call is the one to fail; sets errno. */
static int due(unsigned kind, const char *name, const char *path)
{
    long number = atomic_fetch_add(&count, 1);
    atomic_fetch_add(&counts[__builtin_ctz(kind)], 1);
    if (at < 0 || number < at || (number > at && !ever)) return 0;
    if (!atomic_exchange(&fired, 1)) snprintf(fired_at, sizeof fired_at, "%s %s", name, path);
    if (error_number != SHORT) errno = error_number;
    return 1;
}

static int at_descriptor(unsigned kind, const char *name, int descriptor)
{
    if (!(kinds & kind)) return 0;
    int before = errno;
    char buffer[PATH_MAX];
    int hit = within(path_of(descriptor, buffer));
    errno = before;
    return hit && due(kind, name, buffer);
}

static int at_path(unsigned kind, const char *name, int base, const char *path)
{
    if (!(kinds & kind) || !path) return 0;
    char buffer[PATH_MAX];
    if (path[0] != '/') {
        int before = errno;
        int hit = within(base == AT_FDCWD ? here : path_of(base, buffer));
        errno = before;
        return hit && due(kind, name, path);
    }
    return within(path) && due(kind, name, path);
}

#define NEXT(name) ((__typeof__(&name))next(#name))
static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static unsigned kind_of(int flags)
{
    return flags & (O_WRONLY | O_RDWR | O_CREAT) ? OPEN_WRITE : OPEN_READ;
}

#define OPEN(name)                                                            \
    int name(const char *path, int flags, ...)                                \
    {                                                                         \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, int); va_end(rest); \
        if (at_path(kind_of(flags), "open", AT_FDCWD, path)) return -1;       \
        return NEXT(name)(path, flags, mode);                                 \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                                          \
    int name(int base, const char *path, int flags, ...)                      \
    {                                                                         \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, int); va_end(rest); \
        if (at_path(kind_of(flags), "open", base, path)) return -1;           \
        return NEXT(name)(base, path, flags, mode);                           \
    }
OPENAT(openat)
OPENAT(openat64)
#define FOPEN(name)                                                           \
    FILE *name(const char *path, const char *mode)                            \
    {                                                                         \
        if (at_path(mode[0] == 'r' && !strchr(mode, '+') ? OPEN_READ : OPEN_WRITE, "open", AT_FDCWD, path)) return NULL; \
        return NEXT(name)(path, mode);                                        \
    }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int descriptor, const void *data, size_t size)
{
    if (at_descriptor(WRITE, "write", descriptor)) {
        if (error_number != SHORT) return -1;
        size = size > 1 ? size / 2 : size;
    }
    return NEXT(write)(descriptor, data, size);
}
#define PWRITE(name, offset_type)                                             \
    ssize_t name(int descriptor, const void *data, size_t size, offset_type offset) \
    {                                                                         \
        if (at_descriptor(WRITE, "write", descriptor)) {                      \
            if (error_number != SHORT) return -1;                             \
            size = size > 1 ? size / 2 : size;                                \
        }                                                                     \
        return NEXT(name)(descriptor, data, size, offset);                    \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
ssize_t read(int descriptor, void *data, size_t size)
{
    if (at_descriptor(READ, "read", descriptor)) {
        if (error_number != SHORT) return -1;
        size = size > 1 ? size / 2 : size;
    }
    return NEXT(read)(descriptor, data, size);
}
#define PREAD(name, offset_type)                                              \
    ssize_t name(int descriptor, void *data, size_t size, offset_type offset) \
    {                                                                         \
        if (at_descriptor(READ, "read", descriptor)) {                        \
            if (error_number != SHORT) return -1;                             \
            size = size > 1 ? size / 2 : size;                                \
        }                                                                     \
        return NEXT(name)(descriptor, data, size, offset);                    \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)
size_t fwrite(const void *data, size_t size, size_t items, FILE *stream)
{
    if (kinds & WRITE && at_descriptor(WRITE, "fwrite", fileno(stream)) && error_number != SHORT) return 0;
    return NEXT(fwrite)(data, size, items, stream);
}
size_t fread(void *data, size_t size, size_t items, FILE *stream)
{
    if (kinds & READ && at_descriptor(READ, "fread", fileno(stream)) && error_number != SHORT) return 0;
    return NEXT(fread)(data, size, items, stream);
}
int fclose(FILE *stream)
{
    if (kinds & CLOSE && at_descriptor(CLOSE, "fclose", fileno(stream))) {
        int before = errno;
        NEXT(fclose)(stream);
        errno = before;
        return EOF;
    }
    return NEXT(fclose)(stream);
}
int close(int descriptor)
{
    if (at_descriptor(CLOSE, "close", descriptor)) {
        int before = errno;
        NEXT(close)(descriptor); /* as Linux does: it is closed in any case */
        errno = before;
        return -1;
    }
    return NEXT(close)(descriptor);
}
int fsync(int descriptor) { return at_descriptor(SYNC, "fsync", descriptor) ? -1 : NEXT(fsync)(descriptor); }
int fdatasync(int descriptor) { return at_descriptor(SYNC, "fsync", descriptor) ? -1 : NEXT(fdatasync)(descriptor); }
int ftruncate(int descriptor, off_t size)
{
    return at_descriptor(TRUNCATE, "ftruncate", descriptor) ? -1 : NEXT(ftruncate)(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size)
{
    return at_descriptor(TRUNCATE, "ftruncate", descriptor) ? -1 : NEXT(ftruncate64)(descriptor, size);
}
int posix_fallocate64(int descriptor, off64_t offset, off64_t size)
{
    return at_descriptor(TRUNCATE, "fallocate", descriptor) ? error_number : NEXT(posix_fallocate64)(descriptor, offset, size);
}
int posix_fallocate(int descriptor, off_t offset, off_t size)
{
    return at_descriptor(TRUNCATE, "fallocate", descriptor) ? error_number : NEXT(posix_fallocate)(descriptor, offset, size);
}
int rename(const char *from, const char *to)
{
    return at_path(RENAME, "rename", AT_FDCWD, from) ? -1 : NEXT(rename)(from, to);
}
int renameat(int base, const char *from, int other, const char *to)
{
    return at_path(RENAME, "rename", base, from) ? -1 : NEXT(renameat)(base, from, other, to);
}
int renameat2(int base, const char *from, int other, const char *to, unsigned flags)
{
    return at_path(RENAME, "renameat2", base, from) ? -1 : NEXT(renameat2)(base, from, other, to, flags);
}
int mkdir(const char *path, mode_t mode) { return at_path(MKDIR, "mkdir", AT_FDCWD, path) ? -1 : NEXT(mkdir)(path, mode); }
int mkdirat(int base, const char *path, mode_t mode)
{
    return at_path(MKDIR, "mkdir", base, path) ? -1 : NEXT(mkdirat)(base, path, mode);
}
int unlink(const char *path) { return at_path(REMOVE, "unlink", AT_FDCWD, path) ? -1 : NEXT(unlink)(path); }
int rmdir(const char *path) { return at_path(REMOVE, "rmdir", AT_FDCWD, path) ? -1 : NEXT(rmdir)(path); }
int unlinkat(int base, const char *path, int flags)
{
    return at_path(REMOVE, "unlink", base, path) ? -1 : NEXT(unlinkat)(base, path, flags);
}
DIR *opendir(const char *path) { return at_path(LIST, "opendir", AT_FDCWD, path) ? NULL : NEXT(opendir)(path); }
DIR *fdopendir(int descriptor) { return at_descriptor(LIST, "opendir", descriptor) ? NULL : NEXT(fdopendir)(descriptor); }
int flock(int descriptor, int operation) { return at_descriptor(LOCK, "flock", descriptor) ? -1 : NEXT(flock)(descriptor, operation); }
#define STATS(name, type)                                                     \
    int name(const char *path, struct type *found)                            \
    {                                                                         \
        return at_path(STAT, "stat", AT_FDCWD, path) ? -1 : NEXT(name)(path, found); \
    }
STATS(stat, stat)
STATS(stat64, stat64)
STATS(lstat, stat)
STATS(lstat64, stat64)
#define FSTATS(name, type)                                                    \
    int name(int descriptor, struct type *found)                              \
    {                                                                         \
        return at_descriptor(STAT, "fstat", descriptor) ? -1 : NEXT(name)(descriptor, found); \
    }
FSTATS(fstat, stat)
FSTATS(fstat64, stat64)

/* Mappings of files in the folder are MAP; others, of the least size and more, are allocations. */
#define MMAP(name, offset_type)                                               \
    void *name(void *address, size_t size, int protection, int flags, int descriptor, offset_type offset) \
    {                                                                         \
        if (kinds & MAP && descriptor >= 0 && at_descriptor(MAP, "mmap", descriptor)) return MAP_FAILED; \
        if (kinds & ALLOCATE && descriptor < 0 && size >= least && due(ALLOCATE, "mmap", "")) return MAP_FAILED; \
        return NEXT(name)(address, size, protection, flags, descriptor, offset); \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
static int out_of_memory(size_t size)
{
    return kinds & ALLOCATE && size >= least && due(ALLOCATE, "malloc", "");
}
void *malloc(size_t size) { return out_of_memory(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t items, size_t size) { return out_of_memory(items * size) ? NULL : __libc_calloc(items, size); }
void *realloc(void *old, size_t size) { return out_of_memory(size) ? NULL : __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { return out_of_memory(size) ? NULL : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **place, size_t alignment, size_t size)
{
    void *found = memalign(alignment, size);
    if (!found) return ENOMEM;
    *place = found;
    return 0;
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    if (kinds & THREAD && due(THREAD, "pthread_create", "")) return error_number;
    return NEXT(pthread_create)(thread, attributes, start, argument);
}
