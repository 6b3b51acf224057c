// Process groups: whoever wants to hear of something joins, and who ends is a member no more.
#include <airssys/rt.hpp>
#include <cstdio>
#include <string>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

struct News {
  std::string text;
};
struct Heard {
  std::string text;
};

// Joins by itself and passes on what it hears.
void reader(rt::Starter starter, rt::Pid owner) {
  rt::join(rt::group("readers"));
  starter.acknowledge();
  for (;;) rt::send(owner, Heard{rt::receive<News>().text});
}

int main() {
  return rt::run([] {
    // The scope stands before those that use it, and all restart with it.
    auto body = [owner = rt::self()](rt::Starter starter) { reader(starter, owner); };
    rt::Pid top = rt::start_supervisor_link({
        .strategy = rt::Strategy::rest_for_one,
        .children =
            {
                rt::child_group_scope("groups"),
                rt::child("first", body),
                rt::child("second", body),
                rt::child("third", body),
            },
    });

    rt::Group readers = rt::group("readers");
    auto [ref, members] = rt::monitor_group(readers);
    std::printf("%zu readers\n", members.size());

    rt::broadcast(readers, News{"all is well"});
    for (std::size_t i = 0; i < members.size(); ++i)
      std::printf("heard: %s\n", rt::receive<Heard>().text.c_str());

    rt::terminate_child(top, "second");
    auto change = rt::receive<rt::GroupChange>();
    std::printf("%zu %s, %zu readers\n",
                change.members.size(),
                change.kind == rt::GroupChange::left ? "left" : "joined",
                rt::members(readers).size());
    rt::demonitor_group(ref);
    rt::stop(top);
  });
}
