// no_trail.hpp: what an inbox of a model has instead of a Trail, which decides nothing there.
#pragma once

namespace airssys::rt::model {

struct NoTrail {
  void leave(auto& /*signal*/, bool /*behind_others*/) noexcept {}
  static void follow(const auto& /*signal*/) noexcept {}
  struct Back {
    explicit Back(const auto& /*newest*/) noexcept {}
    void leave(auto& /*signal*/) noexcept {}
  };
};

}  // namespace airssys::rt::model
