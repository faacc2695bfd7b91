/* LD_PRELOAD: the wall clock is ahead by the seconds in the mapped file WB_CLOCK. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile long long *ahead_s;
static int (*machine)(clockid_t, struct timespec *);

__attribute__((constructor)) static void find(void) {
    const char *path = getenv("WB_CLOCK");
    machine = dlsym(RTLD_NEXT, "clock_gettime");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file >= 0) {
        void *map = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
        close(file);
        ahead_s = map == MAP_FAILED ? 0 : map;
    }
}

int clock_gettime(clockid_t id, struct timespec *time) {
    if (!machine) find();
    int failed = machine(id, time);
    if (!failed && ahead_s && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        time->tv_sec += *ahead_s;
    return failed;
}
