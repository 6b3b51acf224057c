// poller.cpp: the epoll side of the door.
//
// epoll's data is the Source's address, null for the wake-up. Edge-triggered events are reported
// to one epoll_wait only, and only one thread is inside, so an event is dispatched exactly once.
#include "scheduler/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <limits>
#include <mutex>
#include <utility>

namespace airssys::rt::scheduler {

namespace {

constexpr std::uint32_t read_events = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t write_events = EPOLLOUT | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t last_events = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
constexpr std::uint32_t all_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI;
constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr std::int64_t ns_per_ms = 1'000'000;

std::error_code last_error() noexcept {
  return {errno, std::system_category()};
}

int ms_rounded_up(std::int64_t ns) noexcept {
  if (ns < 0) return -1;
  constexpr std::int64_t ms_max = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(ns / ns_per_ms + (ns % ns_per_ms != 0 ? 1 : 0), ms_max));
}

}  // namespace

struct SourceChunk {
  std::array<Source, 64> sources;
  // Sources that are still registered after the poller's end; the last one takes the chunk along.
  base::Atomic<std::size_t> orphans{0};
};

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(last_error(), "epoll_create1");
  wakeup_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (wakeup_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) {
    const std::error_code error = last_error();
    if (wakeup_ >= 0) close(wakeup_);
    close(epoll_);
    throw std::system_error(error, "eventfd");
  }
}

Poller::~Poller() {
  close(wakeup_);
  close(epoll_);
  for (std::unique_ptr<SourceChunk>& chunk : chunks_) {
    std::size_t orphans = 0;
    for (Source& source : chunk->sources) {
      source.poller_ = nullptr;
      if (source.fd_ >= 0) ++orphans;
    }
    chunk->orphans.store(orphans, std::memory_order_relaxed);  // relaxed: nobody else is here yet
    if (orphans == 0) continue;
    [[maybe_unused]] const SourceChunk* const left_to_them = chunk.release();
  }
}

std::expected<Source*, std::error_code> Poller::add(int fd) {
  Source& source = take_source();
  source.fd_ = fd;
  epoll_event event{.events = all_events | EPOLLET, .data = {.ptr = &source}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    const std::error_code error = last_error();
    source.fd_ = -1;
    const std::lock_guard lock(mutex_);
    free_.push_back(&source);
    return std::unexpected(error);
  }
  sources_.fetch_add(1, std::memory_order_relaxed);  // relaxed: see sources()
  return &source;
}

void Poller::remove(Source& source) noexcept {
  if (source.poller_ != nullptr) {
    if (!source.poller_->is_orphaned()) source.poller_->give_back(source);
    return;
  }
  // acq_rel: the last one sees that all others are through with the chunk.
  SourceChunk* const chunk = source.chunk_;
  if (chunk->orphans.fetch_sub(1, std::memory_order_acq_rel) == 1) delete chunk;
}

void Poller::give_back(Source& source) noexcept {
  // Fails when the descriptor was closed behind our back. If it had a copy (dup), epoll goes on to
  // tell of it: an edge in vain for whoever has this source next, who tries and waits again.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, std::exchange(source.fd_, -1), nullptr);
  source.read_.edge();
  source.write_.edge();
  sources_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: see sources()
  const std::lock_guard lock(mutex_);
  removed_.push_back(&source);
  // relaxed: a hint; who reads it late finds the source in the next round (P3 asks for no sooner).
  has_removed_.store(true, std::memory_order_relaxed);
}

int Poller::poll(std::int64_t timeout_ns) noexcept {
  return enter() ? wait_and_leave(timeout_ns, nullptr, nullptr) : somebody_else;
}

bool Poller::enter() noexcept {
  // acquire: pairs with leave; has_pwait2_, the batches and what interrupts brought along follow
  // one another.
  return !is_polled_.exchange(true, std::memory_order_acquire);
}

void Poller::leave() noexcept {
  is_polled_.store(false, std::memory_order_release);  // release: pairs with enter
}

int Poller::wait_and_leave(std::int64_t timeout_ns, Awake awake, void* argument) noexcept {
  reclaim_removed();
  std::array<epoll_event, events_max> events;
  const int count = wait(events, timeout_ns);
  if (awake) awake(argument);
  const int called =
      count > 0 ? dispatch(std::span(events).first(static_cast<std::size_t>(count))) : 0;
  leave();
  return called;
}

void Poller::interrupt() noexcept {
  // acq_rel: release pairs with the acquire in dispatch, so who returns from poll sees why. If it
  // was true already, somebody's write is on its way and that poll sees this reason as well.
  if (is_interrupted_.exchange(true, std::memory_order_acq_rel)) return;
  const eventfd_t one = 1;
  // Cannot fill up: one write for each time that poll saw it.
  eventfd_write(wakeup_, one);
}

int Poller::wait(std::span<epoll_event> events, std::int64_t timeout_ns) noexcept {
  const auto room = static_cast<int>(events.size());
  if (has_pwait2_ && timeout_ns > 0) {
    const timespec timeout{.tv_sec = static_cast<time_t>(timeout_ns / ns_per_second),
                           .tv_nsec = static_cast<long>(timeout_ns % ns_per_second)};
    const int count = epoll_pwait2(epoll_, events.data(), room, &timeout, nullptr);
    // EPERM: what a sandbox answers that does not know the call.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    has_pwait2_ = false;
  }
  return epoll_wait(epoll_, events.data(), room, ms_rounded_up(timeout_ns));
}

int Poller::dispatch(std::span<const epoll_event> events) noexcept {
  int called = 0;
  for (const epoll_event& event : events) {
    if (event.data.ptr == nullptr) {
      // acq_rel: acquire pairs with interrupt; release so that a later interrupt, which must write
      // again, does not take the old value for the new.
      is_interrupted_.exchange(false, std::memory_order_acq_rel);
      continue;
    }
    auto& source = *static_cast<Source*>(event.data.ptr);
    // relaxed: the edge below releases it.
    if ((event.events & last_events) != 0)
      source.last_edge_came_.store(true, std::memory_order_relaxed);
    if ((event.events & read_events) != 0) called += source.read_.edge();
    if ((event.events & write_events) != 0) called += source.write_.edge();
  }
  return called;
}

// What was removed before this point gives no more events, and the batch that may still have held
// one is through: only one thread polls (P3).
void Poller::reclaim_removed() noexcept {
  if (!has_removed_.load(std::memory_order_relaxed)) return;  // relaxed: see remove
  const std::lock_guard lock(mutex_);
  has_removed_.store(false, std::memory_order_relaxed);  // relaxed: under mutex_
  free_.insert(free_.end(), removed_.begin(), removed_.end());
  removed_.clear();
}

Source& Poller::take_source() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    SourceChunk& chunk = *chunks_.emplace_back(std::make_unique<SourceChunk>());
    for (Source& source : chunk.sources) {
      source.poller_ = this;
      source.chunk_ = &chunk;
      free_.push_back(&source);
    }
  }
  Source& source = *free_.back();
  free_.pop_back();
  source.read_.reset();
  source.write_.reset();
  source.last_edge_came_.store(false, std::memory_order_relaxed);  // relaxed: mutex_ hands it over
  return source;
}

}  // namespace airssys::rt::scheduler
