// locks.cpp: who holds a lock of the thread library is not preempted.
//
// Another process of the same thread could wait for that lock, and the thread with it: for ever.
// The linker (--wrap) sends the program's calls here; what lies in shared libraries calls as ever,
// and has no safepoints in which it could be interrupted. Each lock that is taken forbids, and the
// unlock that gives the last one back is where a process that was asked meanwhile gives way.
// What waits on a condition holds its mutex when it comes back, so it changes nothing.
// Likewise the initialization of a static, and what runs once.
#include <pthread.h>

#include <airssys/rt/preemption.hpp>
#include <cerrno>

using airssys::rt::NoPreemption;
namespace detail = airssys::rt::detail;

namespace {

int taken(int error) noexcept {
  if (error == 0 || error == EOWNERDEAD) detail::forbid_preemption();
  return error;
}

int given_back(int error) noexcept {
  if (error == 0) detail::allow_preemption();
  return error;
}

}  // namespace

// The names are the linker's.
#define RT_LOCK(effect, name, parameters, arguments) \
  extern "C" int __real_##name parameters;           \
  extern "C" int __wrap_##name parameters {          \
    return effect(__real_##name arguments);          \
  }

using Mutex = pthread_mutex_t;
using ReadWriteLock = pthread_rwlock_t;
using SpinLock = pthread_spinlock_t;
using Until = const timespec;

RT_LOCK(taken, pthread_mutex_lock, (Mutex * lock), (lock))
RT_LOCK(taken, pthread_mutex_trylock, (Mutex * lock), (lock))
RT_LOCK(taken, pthread_mutex_timedlock, (Mutex * lock, Until* until), (lock, until))
RT_LOCK(taken,
        pthread_mutex_clocklock,
        (Mutex * lock, clockid_t clock, Until* until),
        (lock, clock, until))
RT_LOCK(given_back, pthread_mutex_unlock, (Mutex * lock), (lock))

RT_LOCK(taken, pthread_rwlock_rdlock, (ReadWriteLock * lock), (lock))
RT_LOCK(taken, pthread_rwlock_tryrdlock, (ReadWriteLock * lock), (lock))
RT_LOCK(taken, pthread_rwlock_timedrdlock, (ReadWriteLock * lock, Until* until), (lock, until))
RT_LOCK(taken,
        pthread_rwlock_clockrdlock,
        (ReadWriteLock * lock, clockid_t clock, Until* until),
        (lock, clock, until))
RT_LOCK(taken, pthread_rwlock_wrlock, (ReadWriteLock * lock), (lock))
RT_LOCK(taken, pthread_rwlock_trywrlock, (ReadWriteLock * lock), (lock))
RT_LOCK(taken, pthread_rwlock_timedwrlock, (ReadWriteLock * lock, Until* until), (lock, until))
RT_LOCK(taken,
        pthread_rwlock_clockwrlock,
        (ReadWriteLock * lock, clockid_t clock, Until* until),
        (lock, clock, until))
RT_LOCK(given_back, pthread_rwlock_unlock, (ReadWriteLock * lock), (lock))

RT_LOCK(taken, pthread_spin_lock, (SpinLock * lock), (lock))
RT_LOCK(taken, pthread_spin_trylock, (SpinLock * lock), (lock))
RT_LOCK(given_back, pthread_spin_unlock, (SpinLock * lock), (lock))

extern "C" {

int __real_pthread_once(pthread_once_t* once, void (*init)());
int __wrap_pthread_once(pthread_once_t* once, void (*init)()) {
  const NoPreemption here;  // std::call_once may throw through
  return __real_pthread_once(once, init);
}

// 1: the caller initializes the static, and says so by release or abort.
int __real___cxa_guard_acquire(void* guard);
int __wrap___cxa_guard_acquire(void* guard) {
  const int is_mine = __real___cxa_guard_acquire(guard);
  if (is_mine) detail::forbid_preemption();
  return is_mine;
}
void __real___cxa_guard_release(void* guard);
void __wrap___cxa_guard_release(void* guard) {
  __real___cxa_guard_release(guard);
  detail::allow_preemption();
}
void __real___cxa_guard_abort(void* guard);
void __wrap___cxa_guard_abort(void* guard) {
  __real___cxa_guard_abort(guard);
  detail::allow_preemption();
}

}  // extern "C"
