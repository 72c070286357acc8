/* Preloaded into a server: a wall clock that the test moves, and memory that it refuses. What it
 * wants stands in a file that every process of the server maps. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* chaos/shim.py writes the same. */
struct wishes {
    _Atomic int64_t ahead_s;    /* the wall clock is so much ahead of the true one */
    _Atomic int64_t victim;     /* this process is refused memory; 0: none */
    _Atomic int64_t from_bytes; /* requests of so many bytes and more */
    _Atomic int64_t left_n; /* after so many that it still gets; one is refused, then victim is 0 */
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);

static struct wishes none;
static struct wishes *wishes = &none;

__attribute__((constructor)) static void map_wishes(void)
{
    const char *path = getenv("CHAOS_WISHES");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED)
        wishes = at;
}

static int is_refused(size_t size)
{
    int64_t victim = wishes->victim;
    if (victim == 0 || (int64_t)size < wishes->from_bytes || victim != getpid())
        return 0;
    if (wishes->left_n-- > 0)
        return 0;
    wishes->victim = 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return is_refused(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return is_refused(size && n > SIZE_MAX / size ? SIZE_MAX / 2 : n * size)
               ? NULL
               : __libc_calloc(n, size);
}

void *realloc(void *at, size_t size)
{
    return is_refused(size) ? NULL : __libc_realloc(at, size);
}

/* The true clock by system call: the library's own would be this one again. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    long rc = syscall(SYS_clock_gettime, clock, now);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += wishes->ahead_s;
    return (int)rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
