import re
def sub(p, old, new, n=1):
    s=open(p).read()
    assert old in s, (p, old)
    s=s.replace(old,new,n); open(p,'w').write(s)
# wait reason
sub('runtime/wait_reason.hpp','''constexpr const char* to_string(WaitReason reason) noexcept {
  switch (reason) {''','''// What hibernation.hpp notes in the same word; who stores a plain reason takes the notes back.
inline constexpr auto marked = static_cast<WaitReason>(0x40);      // was seen waiting in a round
inline constexpr auto hibernated = static_cast<WaitReason>(0x80);  // its stack is put away

constexpr WaitReason with(WaitReason word, WaitReason note) noexcept {
  return static_cast<WaitReason>(std::to_underlying(word) | std::to_underlying(note));
}
constexpr bool has(WaitReason word, WaitReason note) noexcept {
  return (std::to_underlying(word) & std::to_underlying(note)) != 0;
}
constexpr WaitReason without_notes(WaitReason word) noexcept {
  return static_cast<WaitReason>(std::to_underlying(word) & 0x3f);
}

constexpr const char* to_string(WaitReason word) noexcept {
  switch (without_notes(word)) {''')
sub('runtime/wait_reason.hpp','#include <cstdint>\n','#include <cstdint>\n#include <utility>\n')
sub('runtime/wait_reason.hpp','''    case WaitReason::wake_on_way:
      return "wake on its way";
''','''    case WaitReason::wake_on_way:
      return "wake on its way";
''')
# process
p='runtime/process.hpp'
sub(p,'class Wait;     // wait.hpp\n','class Wait;     // wait.hpp\nstruct Hibernation;  // hibernation.hpp\n')
sub(p,'  Wait* waits = nullptr;  // records of what will wake it, on its stack or the heap\n','''  union {
    Wait* waits = nullptr;     // records of what will wake it, on its stack or the heap
    Hibernation* hibernation;  // its stack, while stack_class is scheduler::hibernated
  };
''')
sub(p,'''  bool hears_system_requests = false;''','''  bool hibernates = false;             // fixed at spawn: nobody else knows addresses in its stack
  bool hears_system_requests = false;''')
s=open(p).read()
s=s.replace('follows_parent =\n      hears_system_requests = false;','follows_parent =\n      hibernates = hears_system_requests = false;')
assert 'hibernates = hears' in s
s=s.replace('  base::Atomic<WaitReason> wait_reason{WaitReason::none};','  // With the notes of hibernation.hpp, whose author is the monitor.\n  base::Atomic<WaitReason> wait_reason{WaitReason::none};')
open(p,'w').write(s)
# task
p='scheduler/task.hpp'
sub(p,'''// A task at rest has a stack (`fiber`) if it blocked in the middle of its code, and none otherwise.
''','''// A task at rest has a stack (`fiber`) if it blocked in the middle of its code, and none otherwise.
// Who waits for long may have its stack put away: then `stack_class` is `hibernated`, and the door
// `thaw` fetches the stack back before the task is resumed.
''')
sub(p,'''// Lowest first; the numbers''','''class Pool;

// What stack_class is while the stack of a task is put away.
inline constexpr fiber::SizeClass hibernated = 0xff;

// Lowest first; the numbers''')
sub(p,'''  bool (*try_idle)(Task& task);
''','''  bool (*try_idle)(Task& task);
  // On a thread's loop: fetches the stack of a task back that is `hibernated` and about to run.
  fiber::Fiber& (*thaw)(Task& task) = nullptr;
  // On the monitor's thread, every so often: the next step of putting stacks away. Answers when
  // there is something to do again, TimerWheel::never_ns while all_sleep stays as it is.
  std::int64_t (*tend)(Pool& pool, std::int64_t now_ns, bool all_sleep) = nullptr;
''')
# thread
p='scheduler/thread.cpp'
sub(p,'''  if (!fiber) {
    handed_ = &task;
    if (task''','''  if (task.stack_class == hibernated) [[unlikely]] {
    fiber = &pool_.doors.thaw(task);
  } else if (!fiber) {
    handed_ = &task;
    if (task''')
sub('scheduler/scheduler.hpp','  Counter hand_overs;  // times that it was taken from a stuck thread\n','  Counter hand_overs;  // times that it was taken from a stuck thread\n  Counter thaws;       // stacks that were fetched back before their task ran\n')
# monitor
p='scheduler/monitor.hpp'
sub(p,'''// sides).
''','''// sides).
// Between its looks it puts the stacks of those away that wait for long (Doors::tend), also while
// all sleep, until there is nothing left to do.
''')
sub(p,'  void doze() noexcept;\n','  void doze() noexcept;\n  bool tend_and_rest(bool is_quiet) noexcept;\n')
p='scheduler/monitor.cpp'
sub(p,'''    if (!spared_.empty()) restrain_who_had_time();
''','''    if (!spared_.empty()) restrain_who_had_time();
    if (pool_.doors.tend) pool_.doors.tend(pool_, now, false);
''')
sub(p,'''  while (all_sleep()) parker_.park();
''','''  for (bool is_quiet = true; all_sleep();) is_quiet = tend_and_rest(is_quiet);
''')
sub(p,'''std::int64_t Monitor::patience_ns()''','''// Answers false when somebody has unparked it.
bool Monitor::tend_and_rest(bool is_quiet) noexcept {
  const std::int64_t now = pool_.clock.now_ns();
  const std::int64_t next =
      pool_.doors.tend ? pool_.doors.tend(pool_, now, is_quiet) : TimerWheel::never_ns;
  if (next <= now) return true;
  if (next != TimerWheel::never_ns)
    return parker_.park_for(next - now) == base::Woken::timed_out;
  parker_.park();
  return false;
}

std::int64_t Monitor::patience_ns()''')
# wheel
p='scheduler/timer_wheel.hpp'
sub(p,'''  // No timer is due before this;''','''  // Puts `other`, which is not armed, in the place of one that is: due as that was, which is not
  // armed any more. False: it is not armed, and if it was, its `expire` has returned.
  static bool replace(TimerEntry& entry, TimerEntry& other) noexcept;

  // Calls f while no entry of that entry's wheel can expire. f may let go of the entry, and may not
  // touch a wheel.
  template <class F>
  static auto while_none_expires(const TimerEntry& entry, F f) noexcept {
    const std::lock_guard lock(entry.wheel->mutex_);
    return f();
  }

  // No timer is due before this;''')
sub(p,'#include <limits>\n','#include <limits>\n#include <mutex>\n')
p='scheduler/timer_wheel.cpp'
sub(p,'''std::size_t TimerWheel::expire_until(''','''bool TimerWheel::replace(TimerEntry& entry, TimerEntry& other) noexcept {
  if (entry.wheel == nullptr) return false;
  const std::lock_guard lock(entry.wheel->mutex_);
  if (!entry.is_linked()) return false;
  RT_CHECK(!other.is_linked() && other.expire != nullptr, "what takes a timer's place is no timer");
  other.due_ns = entry.due_ns;
  other.wheel = entry.wheel;
  other.previous = std::exchange(entry.previous, nullptr);
  other.next = std::exchange(entry.next, nullptr);
  other.previous->next = other.next->previous = &other;
  return true;
}

std::size_t TimerWheel::expire_until(''')
sub(p,'#include <mutex>\n','#include <mutex>\n#include <utility>\n')
# wait
p='runtime/wait.hpp'
sub(p,'''  Waker waker;

  // At''','''  Waker waker;

  // Whoever puts the stack away (hibernation.hpp). `lend`: the source knows the stand-in instead of
  // this record from now on; false: it does not do that. `take_back`: the other way round.
  bool is_alone() const noexcept { return !previous_ && !next_; }
  virtual bool lend(scheduler::TimerEntry& stand_in) noexcept;
  virtual void take_back(scheduler::TimerEntry& stand_in) noexcept;

  // At''')
sub(p,'''  bool is_armed() const noexcept { return is_armed_; }

 private:
  bool disarm() noexcept override;
};

// Whether''','''  bool is_armed() const noexcept { return is_armed_; }
  bool lend(scheduler::TimerEntry& stand_in) noexcept override;
  void take_back(scheduler::TimerEntry& stand_in) noexcept override;

 private:
  bool disarm() noexcept override;
};

// Whether''')
p='runtime/wait.cpp'
sub(p,'''TimedWait::TimedWait(''','''bool Wait::lend(scheduler::TimerEntry& /*stand_in*/) noexcept {
  return false;
}

void Wait::take_back(scheduler::TimerEntry& /*stand_in*/) noexcept {
  RT_UNREACHABLE("taken back without having been lent");
}

TimedWait::TimedWait(''')
sub(p,'''void wait_for_mail(''','''bool TimedWait::lend(scheduler::TimerEntry& stand_in) noexcept {
  return scheduler::TimerWheel::replace(*this, stand_in);
}

// One that is overdue fires at the next look at the clock.
void TimedWait::take_back(scheduler::TimerEntry& stand_in) noexcept {
  if (!scheduler::TimerWheel::replace(stand_in, *this)) arm(stand_in.due_ns);
}

void wait_for_mail(''')
# info
p='include/airssys/rt/info.hpp'
sub(p,'''  waiting,    // for mail or for what wait_reason says
''','''  waiting,    // for mail or for what wait_reason says
  hibernated,  // likewise, for long: its stack is put away (SpawnOptions::hibernates)
''')
p='runtime/info.cpp'
sub(p,'''  switch (reason) {
    case WaitReason::none:
      return ProcessState::runnable;''','''  if (has(reason, hibernated)) return ProcessState::hibernated;
  switch (without_notes(reason)) {
    case WaitReason::none:
      return ProcessState::runnable;''')
sub(p,'''    case ProcessState::suspended:
      return "suspended";''','''    case ProcessState::hibernated:
      return "hibernated";
    case ProcessState::suspended:
      return "suspended";''')
# options
p='include/airssys/rt/process.hpp'
sub(p,'''  bool link = false;            // to the spawner, atomically with its birth (P2)
''','''  bool link = false;            // to the spawner, atomically with its birth (P2)
  // While it waits in a receive, a call or a sleep for longer than Options::hibernate_after, what
  // its stack holds (some hundred bytes) is kept on the heap, and the stack's pages go back to the
  // system; a wake then costs some microseconds more. For bodies that are many and wait for long.
  // Requires: while it waits, no other process or thread uses an address in its stack; what is
  // written there meanwhile is lost. A child that captures its spawner's locals by reference does.
  bool hibernates = false;
''')
p='include/airssys/rt/system.hpp'
sub(p,'''  // How long rt::run's end,''','''  // For how long a process whose spawner allows it (SpawnOptions::hibernates) waits, at least, and
  // at most some three times as long, before its stack is put away. 0: no stack ever is; nor is one
  // under ASan or TSan, and on kernels without guard markers (before Linux 6.13).
  std::chrono::milliseconds hibernate_after = std::chrono::milliseconds(1000);
  // How long rt::run's end,''')
# system
p='runtime/system.hpp'
sub(p,'''    std::int64_t send_timeout_ns = 5'000'000'000;
''','''    std::int64_t send_timeout_ns = 5'000'000'000;
    std::int64_t hibernate_after_ns = 1'000'000'000;  // 0: never
''')
sub(p,'''  Disposal disposal{blocking, this};
''','''  Disposal disposal{blocking, this};
  Hibernator hibernator;
''')
sub(p,'#include "runtime/disposal.hpp"\n','#include "runtime/disposal.hpp"\n#include "runtime/hibernation.hpp"\n')
p='runtime/system.cpp'
sub(p,'''  config.doors = {&run_process, &process_was_cut, &process_may_rest};
''','''  config.doors = {
      &run_process, &process_was_cut, &process_may_rest, &thaw_process, &put_stacks_away};
''')
sub(p,'''Level level_of(Priority''','''Level level_of(Priority''') if False else None
sub(p,'''      table(quiescence),
''','''      table(quiescence),
      hibernator(*this, config.hibernate_after_ns),
''')
sub(p,'''    process->bounds = make_bounds(options->mailbox);
''','''    process->bounds = make_bounds(options->mailbox);
    process->hibernates = options->hibernates;
    if (options->hibernates) hibernator.expect();
''')
p='system/runtime_impl.cpp'
sub(p,'''          .log = options.log,
''','''          .hibernate_after_ns =
              std::chrono::duration_cast<std::chrono::nanoseconds>(options.hibernate_after).count(),
          .log = options.log,
''')
p='system/stop.cpp'
# meson
sub('runtime/meson.build',"  'extras.cpp',\n","  'extras.cpp',\n  'hibernation.cpp',\n")
sub('tests/model/meson.build',"foreach name : ['hold', 'idle'","foreach name : ['hibernation', 'hold', 'idle'")
# inspector
sub('inspector/answers.cpp','''    json.key("hand_overs").number(counters.hand_overs.read()).end_object();''','''    json.key("hand_overs").number(counters.hand_overs.read());
    json.key("thaws").number(counters.thaws.read()).end_object();''')
