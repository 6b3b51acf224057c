// message.hpp: a message of any type, owned.
//
// What `receive()` without a type answers, and what a server's handle_info is given. The value
// stays where its sender built it until somebody takes it out. Move only; the last owner destroys.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <string_view>
#include <utility>

namespace airssys::rt {

class Message {
 public:
  Message() noexcept = default;
  explicit Message(void* payload) noexcept : payload_(payload) {}  // takes it over
  template <class T>
  static Message of(T value) {
    return Message(detail::make_payload(std::move(value)));
  }

  Message(Message&& other) noexcept : payload_(std::exchange(other.payload_, nullptr)) {}
  Message& operator=(Message&& other) noexcept {
    std::swap(payload_, other.payload_);
    return *this;
  }
  ~Message() {
    if (payload_) detail::destroy_payload(payload_);
  }

  // Whether it holds a value at all: false after a move or `release`.
  explicit operator bool() const noexcept { return payload_ != nullptr; }

  template <class T>
  bool is() const noexcept {
    return payload_ && detail::payload_if<T>(payload_);
  }
  // The value inside, or null when it is not a T. It stays inside.
  template <class T>
  T* get_if() noexcept {
    return payload_ ? detail::payload_if<T>(payload_) : nullptr;
  }
  template <class T>
  const T* get_if() const noexcept {
    return payload_ ? detail::payload_if<T>(payload_) : nullptr;
  }
  // Moves the value out. Requires: is<T>().
  template <class T>
  T take() {
    return std::move(*get_if<T>());
  }
  std::string_view type_name() const noexcept {
    return payload_ ? detail::header_of(payload_).type->name : std::string_view("nothing");
  }

  // For the library: gives the payload away, or shows it.
  void* release() noexcept { return std::exchange(payload_, nullptr); }
  void* payload() const noexcept { return payload_; }

 private:
  void* payload_ = nullptr;
};

}  // namespace airssys::rt
