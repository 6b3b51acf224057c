// object_room.hpp: one room for the arguments of an object, and then for the object.
//
// A behaviour's object is made on its own process, from arguments that the starter gave. Both share
// their room inside the behaviour, so one allocation holds a server.
#pragma once

#include <airssys/rt/start.hpp>
#include <cstdint>
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
    if (holds_ == Holds::arguments) std::destroy_at(&arguments_);
    if (holds_ == Holds::object) std::destroy_at(&object_);
  }

  // Turns the arguments into the object, once; answers who waits for the start.
  Starter make() {
    Arguments arguments = std::move(arguments_);
    std::destroy_at(&arguments_);
    holds_ = Holds::nothing;
    std::apply([this](Args&... args) { std::construct_at(&object_, std::move(args)...); },
               arguments.values);
    holds_ = Holds::object;
    return arguments.starter;
  }

  S& object() noexcept { return object_; }

 private:
  struct Arguments {
    Starter starter;
    std::tuple<Args...> values;
  };
  enum class Holds : std::uint8_t { arguments, nothing, object };

  union {
    Arguments arguments_;
    S object_;
  };
  Holds holds_ = Holds::arguments;
};

}  // namespace airssys::rt::detail
