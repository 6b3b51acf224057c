// intrusive_list.hpp: lists whose links lie in the elements, so that linking never allocates.
//
// Queue<&T::next>  first in, first out; one pointer an element; takes from the front only.
// Stack<&T::next>  last in, first out; one pointer an element.
// List<T>          double links: T derives from ListHook; any element leaves in constant time.
// Nobody here locks: a list belongs to one thread or lies under its owner's mutex. A list does not
// own its elements; an element is in at most one list per hook, and stays put while it is in one.
#pragma once

#include <cstddef>

#include "base/assert.hpp"

namespace airssys::rt::base {

namespace detail {

template <class M>
struct MemberOwner;
template <class T>
struct MemberOwner<T * T::*> {
  using Type = T;
};

}  // namespace detail

template <auto Next>
class Queue {
 public:
  using Element = typename detail::MemberOwner<decltype(Next)>::Type;

  [[nodiscard]] bool empty() const noexcept { return front_ == nullptr; }
  [[nodiscard]] Element* front() const noexcept { return front_; }

  void push_back(Element& element) noexcept {
    element.*Next = nullptr;
    if (front_ == nullptr)
      front_ = &element;
    else
      back_->*Next = &element;
    back_ = &element;
  }

  void push_front(Element& element) noexcept {
    element.*Next = front_;
    if (front_ == nullptr) back_ = &element;
    front_ = &element;
  }

  /// The oldest element, or null.
  Element* pop_front() noexcept {
    Element* const element = front_;
    if (element != nullptr) front_ = element->*Next;
    return element;
  }

 private:
  Element* front_ = nullptr;
  Element* back_ = nullptr;  // stands for nothing while front_ is null
};

template <auto Next>
class Stack {
 public:
  using Element = typename detail::MemberOwner<decltype(Next)>::Type;

  [[nodiscard]] bool empty() const noexcept { return top_ == nullptr; }

  void push(Element& element) noexcept {
    element.*Next = top_;
    top_ = &element;
  }

  /// The newest element, or null.
  Element* pop() noexcept {
    Element* const element = top_;
    if (element != nullptr) top_ = element->*Next;
    return element;
  }

 private:
  Element* top_ = nullptr;
};

struct ListHook {
  ListHook* previous = nullptr;
  ListHook* next = nullptr;

  [[nodiscard]] bool is_linked() const noexcept { return next != nullptr; }
};

/// A ring through a head of its own, so that no element is a special case. Not movable.
template <class T>
class List {
 public:
  constexpr List() noexcept { head_.previous = head_.next = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() = default;

  [[nodiscard]] bool empty() const noexcept { return head_.next == &head_; }

  void push_back(T& element) noexcept { link_before(head_, element); }
  void push_front(T& element) noexcept { link_before(*head_.next, element); }

  /// The first element, or null.
  [[nodiscard]] T* front() const noexcept { return element_at(head_.next); }
  /// The element after this one, or null.
  [[nodiscard]] T* after(const T& element) const noexcept {
    return element_at(static_cast<const ListHook&>(element).next);
  }

  T* pop_front() noexcept {
    T* const element = front();
    if (element != nullptr) remove(*element);
    return element;
  }

  /// Takes an element out of the list it is in.
  static void remove(T& element) noexcept {
    ListHook& hook = element;
    RT_CHECK(hook.is_linked(), "an element leaves a list that it is in");
    hook.previous->next = hook.next;
    hook.next->previous = hook.previous;
    hook.previous = hook.next = nullptr;
  }

 private:
  static void link_before(ListHook& place, ListHook& hook) noexcept {
    RT_CHECK(!hook.is_linked(), "an element is in at most one list");
    hook.previous = place.previous;
    hook.next = &place;
    place.previous->next = &hook;
    place.previous = &hook;
  }

  T* element_at(ListHook* hook) const noexcept {
    return hook == &head_ ? nullptr : static_cast<T*>(hook);
  }

  ListHook head_;
};

}  // namespace airssys::rt::base
