// pid.hpp: who a process is.
//
// A pid is a value of 64 bits: node, slot of the process table, generation of that slot. It may be
// copied, stored, sent and compared by anyone, and it never names another process: when a slot is
// used again its generation differs, so a stale pid finds nobody (P10).
//
//   63        56 55                        28 27                         0
//  |   node     |           slot             |        generation          |
//
// Node 0 is this program. A default-constructed pid names no process.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace airssys::rt {

class Pid {
 public:
  static constexpr unsigned slot_bits = 28;
  static constexpr unsigned generation_bits = 28;

  constexpr Pid() noexcept = default;
  constexpr Pid(std::uint32_t slot, std::uint32_t generation) noexcept
      : bits_((std::uint64_t{slot} << generation_bits) | (generation & generation_mask)) {}

  static constexpr Pid from_bits(std::uint64_t bits) noexcept {
    Pid pid;
    pid.bits_ = bits;
    return pid;
  }

  constexpr std::uint64_t bits() const noexcept { return bits_; }
  constexpr std::uint32_t node() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> (slot_bits + generation_bits));
  }
  constexpr std::uint32_t slot() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> generation_bits) & slot_mask;
  }
  constexpr std::uint32_t generation() const noexcept {
    return static_cast<std::uint32_t>(bits_) & generation_mask;
  }

  // False for a default-constructed pid only; says nothing about whether the process lives.
  constexpr explicit operator bool() const noexcept { return bits_ != 0; }

  // "<node.slot.generation>", as the inspector and every report print it.
  std::string to_string() const;

  friend constexpr bool operator==(Pid, Pid) noexcept = default;
  friend constexpr auto operator<=>(Pid, Pid) noexcept = default;

 private:
  static constexpr std::uint32_t slot_mask = (1U << slot_bits) - 1;
  static constexpr std::uint32_t generation_mask = (1U << generation_bits) - 1;

  std::uint64_t bits_ = 0;
};

}  // namespace airssys::rt

template <>
struct std::hash<airssys::rt::Pid> {
  std::size_t operator()(airssys::rt::Pid pid) const noexcept {
    return static_cast<std::size_t>(pid.bits() * 0x9E3779B97F4A7C15U);
  }
};
