// local.hpp: values that belong to the process that runs, and end with it (P12).
//
//   inline constexpr rt::Local<RequestId> current_request("current request");
//
//   current_request.put(id);                    // for this process alone
//   if (RequestId* id = current_request.get())  // deep in a library, on the same process
//
// A Local is a key; each process has a value of its own under it, or none. It serves what is wanted
// far below where it is known and cannot be handed down; thread_local does not, for a process goes
// on on other threads (Z9). A new process has no values (P3). They are destroyed after the
// process's code and object are gone, in no order, and before links and monitors hear of its end.
#pragma once

#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/detail/text_of.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt {

namespace detail {

// A value of a process's, under its key.
class LocalValue {
 public:
  LocalValue(const void* of_key, std::string_view of_name) noexcept : key(of_key), name(of_name) {}
  LocalValue(const LocalValue&) = delete;
  LocalValue& operator=(const LocalValue&) = delete;
  virtual ~LocalValue() = default;
  virtual std::string text() const = 0;

  const void* const key;
  const std::string_view name;

  static void* operator new(std::size_t bytes) { return allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { deallocate(block, bytes); }
};

// Of the calling process; null: it has none under this key.
LocalValue* find_local(const void* key);
// Answers what was there.
std::unique_ptr<LocalValue> put_local(std::unique_ptr<LocalValue> value);
std::unique_ptr<LocalValue> take_local(const void* key);

}  // namespace detail

// The key is the object itself, so it has static storage; its name, shown by process_info, is a
// literal. For processes: others get BadArgument. None of its verbs suspends or is a safe point.
template <class T>
class Local {
 public:
  constexpr explicit Local(std::string_view name = {}) noexcept : name_(name) {}
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;

  // The process's value, until the next put or erase; null when it has none.
  T* get() const {
    auto* found = static_cast<Value*>(detail::find_local(this));
    return found ? &found->value : nullptr;
  }
  // Both answer the previous value.
  std::optional<T> put(T value) const {
    return value_of(detail::put_local(std::make_unique<Value>(this, name_, std::move(value))));
  }
  std::optional<T> erase() const { return value_of(detail::take_local(this)); }

 private:
  struct Value final : detail::LocalValue {
    Value(const void* of_key, std::string_view of_name, T of_value)
        : LocalValue(of_key, of_name), value(std::move(of_value)) {}
    std::string text() const override { return detail::text_of(value); }

    T value;
  };

  static std::optional<T> value_of(const std::unique_ptr<detail::LocalValue>& box) {
    if (!box) return std::nullopt;
    return std::move(static_cast<Value&>(*box).value);
  }

  std::string_view name_;
};

}  // namespace airssys::rt
