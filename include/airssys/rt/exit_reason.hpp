// exit_reason.hpp: why a process ended.
//
// A reason is a value that every link and monitor receives unchanged (P5). The distinguished ones
// (normal, shutdown, kill, killed, noproc, timeout) cost nothing to copy; `shutdown(x)`, `error`
// and reasons of the user's own types share one immutable, counted block. Reasons compare by value
// and print the same everywhere (Z15). Any thread may copy, compare and print one.
#pragma once

#include <airssys/rt/detail/text_of.hpp>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

namespace detail {
// What a reason keeps of a value: of text the text, for nobody knows how long a pointer is good.
template <class T>
inline constexpr bool is_text = std::is_pointer_v<T> || std::is_same_v<T, std::string_view>;
template <class T>
using Kept =
    std::conditional_t<is_text<T> && std::convertible_to<T, std::string_view>, std::string, T>;
}  // namespace detail

class ExitReason {
 public:
  enum class Kind : std::uint8_t {
    normal,         // the body returned
    shutdown,       // asked to stop in order
    shutdown_with,  // the same, with a value that says more
    kill,           // as a signal: cannot be trapped. As a reason: exit(kill) called by itself (X6)
    killed,         // what links and monitors of a killed process see (X5)
    noproc,         // there was no such process
    timeout,        // it took too long
    error,          // an exception left the body; a contained crash
    value,          // a value of the user's own type
  };

  ExitReason() noexcept = default;  // normal

  static ExitReason normal() noexcept { return ExitReason(Kind::normal); }
  static ExitReason shutdown() noexcept { return ExitReason(Kind::shutdown); }
  static ExitReason kill() noexcept { return ExitReason(Kind::kill); }
  static ExitReason killed() noexcept { return ExitReason(Kind::killed); }
  static ExitReason noproc() noexcept { return ExitReason(Kind::noproc); }
  static ExitReason timeout() noexcept { return ExitReason(Kind::timeout); }

  // An error: the exception's type and what(), as "error: type: what"; either may be empty.
  static ExitReason error(std::string type, std::string what);
  static ExitReason error(std::string what) { return error({}, std::move(what)); }

  // Any copyable value that can be compared, but no pointer; text is kept as a std::string. It
  // prints by its to_string(), as text, as a number, or by its type's name.
  template <std::equality_comparable T>
    requires(!std::is_pointer_v<detail::Kept<T>>)
  static ExitReason of(T value) {
    return carrying(Kind::value, detail::Kept<T>(std::move(value)));
  }
  // The same, for an end in order.
  template <std::equality_comparable T>
    requires(!std::is_pointer_v<detail::Kept<T>>)
  static ExitReason shutdown(T value) {
    return carrying(Kind::shutdown_with, detail::Kept<T>(std::move(value)));
  }

  Kind kind() const noexcept { return static_cast<Kind>(word_ & kind_bits); }

  // normal, shutdown, shutdown(x): no crash report, and a transient child is not restarted (X16).
  bool is_orderly() const noexcept { return kind() <= Kind::shutdown_with; }

  // The value that `of` or `shutdown` was given, or null when the reason is not such a T.
  template <class T>
  const T* value() const noexcept {
    if (!detail() || detail()->type != &tag<T>) return nullptr;
    return &static_cast<const Value<T>*>(detail())->value;
  }

  // `normal`, `shutdown: X`, `killed`, `error: std::runtime_error: boom`. An exception that the
  // value's to_string() throws is told in its place.
  std::string to_string() const;

  // The type's name and the words of an `error`; the words of a `shutdown(text)`; else empty.
  std::string_view type() const noexcept;
  std::string_view what() const noexcept;

  friend bool operator==(const ExitReason& a, const ExitReason& b) {
    return a.word_ == b.word_ ||
           (a.kind() == b.kind() && a.detail() && b.detail() && a.detail()->equals(*b.detail()));
  }

  ExitReason(const ExitReason& other) noexcept : word_(other.word_) {
    // relaxed: whoever copies holds a count already, so the block cannot go away meanwhile.
    if (detail()) detail()->owners.fetch_add(1, std::memory_order_relaxed);
  }
  ExitReason(ExitReason&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  ExitReason& operator=(ExitReason other) noexcept {
    std::swap(word_, other.word_);
    return *this;
  }
  ~ExitReason() { release(); }

 private:
  static constexpr std::uintptr_t kind_bits = 15;  // which a detail's address leaves free
  // What a reason carries beyond its kind: immutable, shared by all copies, counted.
  struct alignas(kind_bits + 1) Detail {
    std::atomic<std::uint32_t> owners = 1;
    const void* type;  // address of tag<T>

    explicit Detail(const void* of_type) noexcept : type(of_type) {}
    Detail(const Detail&) = delete;
    Detail& operator=(const Detail&) = delete;
    virtual ~Detail() = default;
    virtual bool equals(const Detail& other) const = 0;
    virtual std::string text() const = 0;
  };

  template <class T>
  struct Value final : Detail {
    T value;
    explicit Value(T v) : Detail(&tag<T>), value(std::move(v)) {}
    bool equals(const Detail& other) const override {
      return other.type == this->type && static_cast<const Value&>(other).value == value;
    }
    std::string text() const override { return detail::text_of(value); }
  };
  struct Words;  // of an error; exit_reason.cpp
  std::string text() const;

  template <class T>
  static constexpr char tag = 0;

  explicit ExitReason(Kind kind, Detail* detail = nullptr) noexcept
      : word_(reinterpret_cast<std::uintptr_t>(detail) | static_cast<std::uintptr_t>(kind)) {}
  template <class T>
  static ExitReason carrying(Kind kind, T value) {
    return ExitReason(kind, new Value<T>(std::move(value)));
  }
  Detail* detail() const noexcept { return reinterpret_cast<Detail*>(word_ & ~kind_bits); }
  void release() noexcept {
    // acq_rel: the last owner must see everything the others did with the block before it goes.
    if (detail() && detail()->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete detail();
  }

  std::uintptr_t word_ = 0;  // the detail's address, with the kind in the bits that are free there
};

}  // namespace airssys::rt
