// Names of one's own: rooms are known to those who have their registry.
#include <airssys/rt.hpp>
#include <cstdio>
#include <memory>
#include <string_view>

namespace rt = airssys::rt;

struct Room : rt::Server<Room> {
  struct Seats {
    using Reply = int;
  };
  struct Close {};
  explicit Room(int count) : seats(count) {}
  int handle(Seats) { return seats; }
  void handle(Close) { rt::exit(rt::ExitReason::normal()); }
  int seats;
};

// The plain table, and a rule: no room is called so.
class Rooms : public rt::NameTable {
 public:
  bool register_name(std::string_view name, rt::Pid pid) override {
    return name != "attic" && NameTable::register_name(name, pid);
  }
};

int main() {
  return rt::run([] {
    auto rooms = std::make_shared<Rooms>();
    auto lobby = rt::start<Room>({.name = "lobby", .registry = rooms}, 12);
    std::printf("%d seats\n", rt::call(rt::server_ref<Room>(*rooms, "lobby"), Room::Seats{}));

    auto second = rt::try_start<Room>({.name = "lobby", .registry = rooms}, 3);
    if (!second && second.error().pid() == lobby.pid()) std::puts("there is one already");
    auto attic = rt::try_start<Room>({.name = "attic", .registry = rooms}, 3);
    if (!attic) std::puts("there is no attic");

    // Who has heard of its end finds the name free.
    rt::MonitorRef end = rt::monitor(lobby.pid());
    rt::cast<Room>(*rooms, "lobby", Room::Close{});
    rt::receive(rt::when([&](const rt::Down& down) { return down.ref == end; }, [](rt::Down) {}));
    std::printf("the lobby is %s\n", rooms->whereis_name("lobby") ? "open" : "closed");
  });
}
