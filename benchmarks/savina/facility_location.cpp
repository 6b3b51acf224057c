// facility_location.cpp: S18: a tree of quadrants that grows while it is used.
//
// A quadrant is closed, and keeps its customers, until serving them costs too much; then it opens a
// facility and passes them and all later ones to its four quarters.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace facility_location {
namespace {

constexpr double side = 500;
constexpr double threshold = 2 * std::numbers::sqrt2 * side;
constexpr int quarters = 4;
constexpr int not_a_child = -1;

struct Point {
  double x, y;
};
using Points = std::vector<Point>;

struct Box {
  double x, y, size;  // the low corner

  Point centre() const { return {x + size / 2, y + size / 2}; }
  // Of the quarters, the upper ones come first, the left one before the right one.
  Box quarter(int position) const {
    const double half = size / 2;
    return {x + (position % 2) * half, y + (1 - position / 2) * half, half};
  }
  int quarter_of(Point point) const {
    const Point middle = centre();
    return (point.y >= middle.y ? 0 : 2) + (point.x >= middle.x ? 1 : 0);
  }
};

double cost(Point customer, const Points& facilities) {
  double nearest = 1e300;
  for (const Point facility : facilities)
    nearest = std::min(nearest, std::hypot(customer.x - facility.x, customer.y - facility.y));
  return nearest;
}

struct Customer {
  Point place;
};
struct Next {};
struct Facility {
  Point place;
  int from_child;
};
struct RequestExit {};
struct Confirm {
  std::int64_t facilities = 0;
  std::int64_t customers = 0;
};

class Quadrant : public rt::Behaviour {
 public:
  // The root's parent is who is told at the end, and its producer who is told of each customer.
  Quadrant(
      rt::Pid parent, rt::Pid producer, int position, Box box, Points facilities, Points customers)
      : parent_(parent),
        producer_(producer),
        position_(position),
        box_(box),
        facilities_(std::move(facilities)),
        customers_(std::move(customers)) {
    facilities_.push_back(box_.centre());
    for (const Point customer : customers_) total_ += cost(customer, facilities_);
  }

  void message(rt::Message& message) override {
    if (const Customer* customer = message.get_if<Customer>()) {
      serve(*customer);
      if (producer_) rt::send(producer_, Next{});
    } else if (const Facility* facility = message.get_if<Facility>()) {
      learn(*facility);
    } else if (const Confirm* confirm = message.get_if<Confirm>()) {
      add(*confirm);
    } else if (is_open()) {
      for (const rt::Pid child : children_) rt::send(child, RequestExit{});
    } else {
      end({0, static_cast<std::int64_t>(customers_.size())});
    }
  }

 private:
  bool is_open() const { return static_cast<bool>(children_[0]); }

  void serve(const Customer& customer) {
    if (is_open())
      return rt::send(children_[static_cast<std::size_t>(box_.quarter_of(customer.place))],
                      customer);
    customers_.push_back(customer.place);
    total_ += cost(customer.place, facilities_);
    if (total_ > threshold) open();
  }

  void open() {
    if (!producer_) rt::send(parent_, Facility{box_.centre(), position_});
    std::array<Points, quarters> shares;
    for (const Point customer : customers_)
      shares[static_cast<std::size_t>(box_.quarter_of(customer))].push_back(customer);
    customers_.clear();
    for (int i = 0; i < quarters; ++i) {
      const auto at = static_cast<std::size_t>(i);
      children_[at] = rt::spawn_behaviour(std::make_unique<Quadrant>(
          rt::self(), rt::Pid(), i, box_.quarter(i), facilities_, std::move(shares[at])));
    }
  }

  void learn(const Facility& facility) {
    facilities_.push_back(facility.place);
    if (!is_open()) return;
    if (facility.from_child == not_a_child) {
      for (const rt::Pid child : children_) rt::send(child, facility);
      return;
    }
    if (!producer_) rt::send(parent_, Facility{facility.place, position_});
    const auto opposite = static_cast<std::size_t>(quarters - 1 - facility.from_child);
    rt::send(children_[opposite], Facility{facility.place, not_a_child});
  }

  void add(const Confirm& confirm) {
    confirmed_.facilities += confirm.facilities;
    confirmed_.customers += confirm.customers;
    if (++heard_ == quarters) end({confirmed_.facilities + 1, confirmed_.customers});
  }

  void end(const Confirm& confirm) const {
    rt::send(parent_, confirm);
    rt::exit(rt::ExitReason::normal());
  }

  rt::Pid parent_;
  rt::Pid producer_;  // null but for the root
  int position_;
  Box box_;
  Points facilities_;
  Points customers_;
  double total_ = 0;
  std::array<rt::Pid, quarters> children_;
  Confirm confirmed_;
  int heard_ = 0;
};

void produce(std::int64_t customers, rt::Pid main) {
  const rt::Pid root = rt::spawn_behaviour(std::make_unique<Quadrant>(
      main, rt::self(), not_a_child, Box{0, 0, side}, Points(), Points()));
  J48 random(123456);
  for (std::int64_t i = 0; i < customers; ++i) {
    const double x = random.unit() * side;
    const double y = random.unit() * side;
    rt::send(root, Customer{{x, y}});
    rt::receive<Next>();
  }
  rt::send(root, RequestExit{});
}

class FacilityLocation : public Program {
 public:
  explicit FacilityLocation(std::int64_t customers) : customers_(customers) {}

  void run() override {
    rt::spawn([customers = customers_, main = rt::self()] { produce(customers, main); });
    confirmed_ = rt::receive<Confirm>();
  }

  Outcome outcome() override {
    check(confirmed_.customers == customers_, "each customer is somewhere");
    const std::int64_t wanted = customers_ == 100'000 ? 341 : 115;
    check(std::abs(confirmed_.facilities - wanted) <= 2, "as many facilities as it takes");
    const std::int64_t quadrants = 1 + quarters * confirmed_.facilities;
    return {.parameters = {{"customers", as_double(customers_)}},
            // A customer goes down as far as the tree is deep, which is five levels at the end.
            .messages = 7 * customers_ + 2 * quadrants,
            .processes = quadrants + 1,
            .reported = {{"facilities", as_double(confirmed_.facilities)}}};
  }

 private:
  const std::int64_t customers_;
  Confirm confirmed_;
};

}  // namespace
}  // namespace facility_location

std::unique_ptr<Program> make_facility_location(const Setting& /*setting*/) {
  return std::make_unique<facility_location::FacilityLocation>(100'000);
}
std::unique_ptr<Program> make_facility_location_short(const Setting& /*setting*/) {
  return std::make_unique<facility_location::FacilityLocation>(30'000);
}

}  // namespace savina
