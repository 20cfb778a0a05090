/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into servers under test: the wall clock runs VDK_TEST_SPEED times as fast since VDK_TEST_BEGIN (seconds since
 * 1970). Every process computes the same time by itself; libfaketime shares a semaphore between a server and its
 * executions, which stays locked when the server is killed in the wrong moment. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long fast_nanoseconds(void) {
  static long long begin, speed;
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  if (speed == 0) {
    const char *text = getenv("VDK_TEST_BEGIN");
    begin = text ? atoll(text) * 1000000000LL : 0;
    text = getenv("VDK_TEST_SPEED");
    speed = text ? atoll(text) : 1;
  }
  return begin + (now.tv_sec * 1000000000LL + now.tv_nsec - begin) * speed;
}

int clock_gettime(clockid_t clock, struct timespec *result) {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) {
    return (int)syscall(SYS_clock_gettime, clock, result);
  }
  const long long now = fast_nanoseconds();
  result->tv_sec = now / 1000000000LL;
  result->tv_nsec = now % 1000000000LL;
  return 0;
}

time_t time(time_t *result) {
  const time_t now = fast_nanoseconds() / 1000000000LL;
  if (result) {
    *result = now;
  }
  return now;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
  (void)zone;
  const long long now = fast_nanoseconds();
  result->tv_sec = now / 1000000000LL;
  result->tv_usec = now % 1000000000LL / 1000;
  return 0;
}
