// application_order.cpp: a walk along the needs, each application once.
#include "supervision/application_order.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace airssys::rt::supervision {

namespace {

using Names = std::unordered_map<std::string_view, std::size_t>;

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

class Walk {
 public:
  Walk(const std::vector<Application>& applications, const Names& places)
      : applications_(applications), places_(places), marks_(applications.size()) {}

  // Adds this application behind all it needs.
  std::expected<void, std::string> visit(std::size_t at) {
    if (marks_[at] == Mark::done) return {};
    if (marks_[at] == Mark::on_the_way) return std::unexpected(circle(at));
    marks_[at] = Mark::on_the_way;
    way_.push_back(at);
    for (const std::string& need : applications_[at].needs) {
      const auto place = places_.find(need);
      if (place == places_.end()) {
        return std::unexpected("application " + quoted(applications_[at].name) + " needs " +
                               quoted(need) + ", which is not there");
      }
      if (auto visited = visit(place->second); !visited) return visited;
    }
    way_.pop_back();
    marks_[at] = Mark::done;
    order_.push_back(at);
    return {};
  }

  std::vector<std::size_t> order() && { return std::move(order_); }

 private:
  enum class Mark : std::uint8_t { unseen, on_the_way, done };

  std::string circle(std::size_t at) const {
    std::string text = "applications need each other: ";
    for (auto each = std::ranges::find(way_, at); each != way_.end(); ++each)
      text += quoted(applications_[*each].name) + " -> ";
    return text + quoted(applications_[at].name);
  }

  const std::vector<Application>& applications_;
  const Names& places_;
  std::vector<Mark> marks_;
  std::vector<std::size_t> way_;
  std::vector<std::size_t> order_;
};

}  // namespace

std::expected<std::vector<std::size_t>, std::string> application_order(
    const std::vector<Application>& applications) {
  Names places;
  for (std::size_t at = 0; at < applications.size(); ++at) {
    const std::string& name = applications[at].name;
    if (name.empty()) return std::unexpected("an application has no name");
    if (!places.emplace(name, at).second)
      return std::unexpected("application " + quoted(name) + " is there twice");
  }
  Walk walk(applications, places);
  for (std::size_t at = 0; at < applications.size(); ++at) {
    if (auto visited = walk.visit(at); !visited) return std::unexpected(std::move(visited).error());
  }
  return std::move(walk).order();
}

}  // namespace airssys::rt::supervision
