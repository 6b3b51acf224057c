// object_room.hpp: one room for the arguments of an object, and then for the object.
//
// A behaviour's object is made on its own process, from arguments that the starter gave. Both share
// their room inside the behaviour, so one allocation holds a server.
#pragma once

#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/start.hpp>
#include <memory>
#include <tuple>
#include <utility>

namespace airssys::rt::detail {

template <class S, class... Args>
class ObjectRoom {
 public:
  template <class... A>
  explicit ObjectRoom(Starter starter, A&&... args)
      : arguments_{starter, std::tuple<Args...>(std::forward<A>(args)...)} {}
  ObjectRoom(const ObjectRoom&) = delete;
  ObjectRoom& operator=(const ObjectRoom&) = delete;
  ~ObjectRoom() {
    if (word_.holds() == Holds::arguments) std::destroy_at(&arguments_);
    if (word_.holds() == Holds::object) std::destroy_at(&object_);
  }

  // Turns the arguments into the object, once; answers who waits for the start.
  Starter make() {
    Arguments arguments = std::move(arguments_);
    std::destroy_at(&arguments_);
    word_.set_holds(Holds::nothing);
    std::apply([this](Args&... args) { std::construct_at(&object_, std::move(args)...); },
               arguments.values);
    word_.set_holds(Holds::object);
    return arguments.starter;
  }

  S& object() noexcept { return object_; }
  bool is_watched() const noexcept { return word_.is_watched(); }
  RoomWord& word() noexcept { return word_; }

 private:
  struct Arguments {
    Starter starter;
    std::tuple<Args...> values;
  };
  using Holds = RoomWord::Holds;

  union {
    Arguments arguments_;
    S object_;
  };
  RoomWord word_;
};

}  // namespace airssys::rt::detail
