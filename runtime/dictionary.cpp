// dictionary.cpp: finding, putting and taking values, and the verbs of rt::Local.
#include "runtime/dictionary.hpp"

#include <algorithm>
#include <utility>

#include "runtime/call.hpp"
#include "runtime/extras.hpp"

namespace airssys::rt::runtime {

detail::LocalValue* Dictionary::find(const void* key) const noexcept {
  const auto place = std::ranges::find(values_, key, [](const Value& value) { return value->key; });
  return place == values_.end() ? nullptr : place->get();
}

Dictionary::Value Dictionary::put(Value value) {
  Value before = take(value->key);
  values_.push_back(std::move(value));
  return before;
}

Dictionary::Value Dictionary::take(const void* key) noexcept {
  const auto place = std::ranges::find(values_, key, [](const Value& value) { return value->key; });
  if (place == values_.end()) return nullptr;
  std::swap(*place, values_.back());
  return take_any();
}

Dictionary::Value Dictionary::take_any() noexcept {
  if (values_.empty()) return nullptr;
  Value last = std::move(values_.back());
  values_.pop_back();
  return last;
}

}  // namespace airssys::rt::runtime

namespace airssys::rt::detail {

// The values are the caller's own, so none of these enters the runtime.

LocalValue* find_local(const void* key) {
  const runtime::Extras* extras = runtime::current_process().own_extras();
  return extras ? extras->dictionary.find(key) : nullptr;
}

std::unique_ptr<LocalValue> put_local(std::unique_ptr<LocalValue> value) {
  return runtime::extras_of(runtime::current_process()).dictionary.put(std::move(value));
}

std::unique_ptr<LocalValue> take_local(const void* key) {
  runtime::Extras* extras = runtime::current_process().own_extras();
  return extras ? extras->dictionary.take(key) : nullptr;
}

}  // namespace airssys::rt::detail
