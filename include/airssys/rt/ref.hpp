// ref.hpp: names for things that one process asked for: a monitor, an alias, a timer.
//
// A Ref is unique within its runtime: the process that made it, and a number that this process
// never gives twice. It is a plain value; anyone may copy, send and compare it. A
// default-constructed one names nothing, and every verb accepts it and does nothing.
#pragma once

#include <airssys/rt/pid.hpp>
#include <compare>
#include <cstdint>
#include <functional>

namespace airssys::rt {

struct Ref {
  Pid owner;
  std::uint64_t id = 0;

  constexpr explicit operator bool() const noexcept { return id != 0; }
  friend constexpr bool operator==(const Ref&, const Ref&) noexcept = default;
  friend constexpr auto operator<=>(const Ref&, const Ref&) noexcept = default;
};

// An address at which its maker receives until it takes it back (A1). Whoever knows it may send.
struct Alias : Ref {};

// What `monitor` answers; the same value stands in the Down it leads to.
struct MonitorRef : Ref {
  // One that was made with an alias mode is that address as well (A3).
  // NOLINTNEXTLINE(google-explicit-constructor): so that what takes an alias takes it
  constexpr operator Alias() const noexcept { return {*this}; }
};

// What `send_after` answers. Any process and, by Runtime's verbs, any thread may cancel or read it
// (T6). It is a name within its runtime only.
struct TimerRef {
  std::uint64_t id = 0;

  constexpr explicit operator bool() const noexcept { return id != 0; }
  friend constexpr bool operator==(TimerRef, TimerRef) noexcept = default;
};

}  // namespace airssys::rt

template <>
struct std::hash<airssys::rt::Ref> {
  std::size_t operator()(const airssys::rt::Ref& ref) const noexcept {
    return std::hash<airssys::rt::Pid>{}(ref.owner) ^
           static_cast<std::size_t>(ref.id * 0xD6E8FEB86659FD93U);
  }
};
template <>
struct std::hash<airssys::rt::MonitorRef> : std::hash<airssys::rt::Ref> {};
template <>
struct std::hash<airssys::rt::Alias> : std::hash<airssys::rt::Ref> {};
