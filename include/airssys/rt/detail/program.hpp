// program.hpp: what a process runs, with its type erased.
//
// A body is a function that runs once. A behaviour (behaviour.hpp) is an object that rests without
// a stack between messages. Both are made by the spawner, owned by the process, and destroyed on a
// runner before the process's links and monitors hear of its end (Z5).
#pragma once

#include <airssys/rt/detail/type_name.hpp>
#include <cstddef>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {
class Behaviour;
}

namespace airssys::rt::detail {

// Memory of the runtime's own. Any thread; never null.
void* allocate(std::size_t bytes);
void deallocate(void* block, std::size_t bytes) noexcept;

// A type's name at an address of its own.
template <class T>
inline constexpr std::string_view program_name = type_name<T>();

class Program {
 public:
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  virtual ~Program() = default;

  // On the process: the whole of a body, the start of a behaviour.
  virtual void run() = 0;
  // The behaviour this is, or null for a body.
  virtual Behaviour* behaviour() noexcept { return nullptr; }
  // Whether requests to servers wait in its mailbox. To others they are refused as they come (G5).
  virtual bool takes_requests() const noexcept { return false; }
  // What it is called where processes are listed: a constant that outlives all processes, or null.
  virtual const std::string_view* name() const noexcept { return nullptr; }

  static void* operator new(std::size_t bytes) { return allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { deallocate(block, bytes); }
};

// Whether this is what a body returns to go on as a server (enter_loop.hpp).
template <class Result>
inline constexpr bool enters_loop = false;

template <class F>
class Body final : public Program {
 public:
  explicit Body(F f) : f_(std::move(f)) {}
  void run() override {
    static_assert(!enters_loop<std::invoke_result_t<F&>>,
                  "only a process that was started by start_body can become a server");
    static_cast<void>(std::invoke(f_));
  }
  const std::string_view* name() const noexcept override { return &program_name<F>; }

 private:
  F f_;
};

template <class F>
Program* make_body(F&& f) {
  return new Body<std::decay_t<F>>(std::forward<F>(f));
}

}  // namespace airssys::rt::detail
