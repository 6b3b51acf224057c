// concurrent_queue.hpp: moodycamel's queues, as this room includes them.
//
// They serve where many threads meet and order does not matter. Rules for whoever uses them:
// - Explicit tokens only; the traits below leave no implicit producers to be made, which would keep
//   a sub-queue for every thread that ever came.
// - try_dequeue may find nothing in a queue that is not empty: keep a counter, raised before the
//   enqueue, to know whether something is there.
// - They order memory by fences, which TSan does not follow, so their functions are not
//   instrumented. What lies behind a pointer is handed over by an acquire and a release of ours.
#pragma once

// What those headers include: here, so that the standard library stays instrumented.
#include <semaphore.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_QUEUE_UNDER_TSAN
#endif
#endif

#ifdef RT_QUEUE_UNDER_TSAN
#pragma clang attribute push(__attribute__((no_sanitize("thread"))), apply_to = function)
#endif
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>
#ifdef RT_QUEUE_UNDER_TSAN
#pragma clang attribute pop
#undef RT_QUEUE_UNDER_TSAN
#endif

namespace airssys::rt::scheduler {

// NOLINTBEGIN(readability-identifier-naming): the library's names
struct QueueTraits : moodycamel::ConcurrentQueueDefaultTraits {
  static constexpr std::size_t INITIAL_IMPLICIT_PRODUCER_HASH_SIZE = 0;  // there are none
  static constexpr int MAX_SEMA_SPINS = 0;  // a thread that waits leaves its core to others
};
// NOLINTEND(readability-identifier-naming)

}  // namespace airssys::rt::scheduler
