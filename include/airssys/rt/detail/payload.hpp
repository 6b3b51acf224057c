// payload.hpp: what lies in front of every message, as templates see it.
//
// A message is one block: the mailbox's signal header, then this header, then the value in place.
// Templates hold the value's address and find its type just before it; they never see the rest.
//
//   | signal header | PayloadHeader | value ... |
//                                   ^ void* payload
#pragma once

#include <airssys/rt/detail/type_name.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt::detail {

// One per message type; its address is the type's identity.
struct MessageType {
  std::uint32_t bytes;
  void (*destroy)(void* value) noexcept;  // null: nothing to do
  std::string_view name;
  // For requests to a server: the identity of the server's class, and the call of its handler.
  const void* server = nullptr;
  void (*dispatch)(void* server, void* payload) = nullptr;
  bool is_call = false;      // the value begins with the Alias of who waits for a reply
  bool is_answered = false;  // what its handler returns is the reply
  bool is_system = false;    // of the library's own protocols: no mailbox bounds or drops it (B1)
};

// Specialised, with true, for each type that is sent as an ordinary message and is of that kind.
template <class T>
inline constexpr bool is_system_message = false;

template <class T>
constexpr void (*destroyer() noexcept)(void*) noexcept {
  if constexpr (std::is_trivially_destructible_v<T>) {
    return nullptr;
  } else {
    return [](void* value) noexcept { std::destroy_at(static_cast<T*>(value)); };
  }
}

template <class T>
inline constexpr MessageType message_type{.bytes = sizeof(T),
                                          .destroy = destroyer<T>(),
                                          .name = type_name<T>(),
                                          .is_system = is_system_message<T>};

struct PayloadHeader {
  const MessageType* type;
  std::uint64_t tag;  // the alias it was sent through, or none: runtime/envelope.hpp
};

inline constexpr std::size_t payload_align = 16;
inline constexpr std::size_t payload_bytes_max = (std::size_t{1} << 20) - 64;

inline PayloadHeader& header_of(void* payload) noexcept {
  return static_cast<PayloadHeader*>(payload)[-1];
}

// A block for a value of this type, not yet constructed. Any thread. Never null.
void* allocate_payload(const MessageType& type);
// Destroys the value and frees its block. Any thread.
void destroy_payload(void* payload) noexcept;
// Frees a block whose value was never constructed.
void free_payload(void* payload) noexcept;

template <class T>
void* make_payload_as(const MessageType& type, auto&&... arguments) {
  static_assert(alignof(T) <= payload_align,
                "a message of larger alignment than 16 must be sent as a std::unique_ptr");
  static_assert(sizeof(T) <= payload_bytes_max,
                "a message of a mebibyte or more must be sent as a std::unique_ptr");
  void* payload = allocate_payload(type);
  if constexpr (std::is_nothrow_constructible_v<T, decltype(arguments)...>) {
    ::new (payload) T(std::forward<decltype(arguments)>(arguments)...);
  } else {
    try {
      ::new (payload) T(std::forward<decltype(arguments)>(arguments)...);
    } catch (...) {
      free_payload(payload);
      throw;
    }
  }
  return payload;
}

template <class T>
void* make_payload(T&& value) {
  using Value = std::remove_cvref_t<T>;
  return make_payload_as<Value>(message_type<Value>, std::forward<T>(value));
}

template <class T>
T* payload_if(void* payload) noexcept {
  return header_of(payload).type == &message_type<T> ? static_cast<T*>(payload) : nullptr;
}

}  // namespace airssys::rt::detail
