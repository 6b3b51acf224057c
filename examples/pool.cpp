// A pool: several servers behind one address, by turns, load or key, restarted in their places.
#include <airssys/rt.hpp>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

// Keeps what it is told; which of several it is, its key decides.
struct Shelf : rt::Server<Shelf> {
  struct Put {
    std::string key;
    int value;
  };
  struct Get {
    using Reply = int;
    std::string key;
  };
  void handle(Put put) { values_[put.key] = put.value; }
  int handle(const Get& get) { return values_.at(get.key); }
  std::map<std::string, int> values_;
};

// Takes its time, and one job at a time.
struct Printer : rt::Server<Printer> {
  struct Print {
    using Reply = rt::Pid;
    std::string text;
  };
  rt::Pid handle(const Print& print) {
    if (print.text == "jam") throw std::runtime_error("paper jam");
    rt::sleep(1ms);
    return rt::self();
  }
};

int main() {
  rt::Options options;
  options.log = [](std::string_view) {};  // the jam is reported there
  return rt::run(options, [] {
    rt::Pool<Shelf> shelves({.size = 3});
    rt::Pool<Printer> printers({.size = 2, .limit = 1, .waiting = 8});
    rt::Pid top = rt::start_supervisor_link(
        {.children = {rt::child_pool("shelves", shelves), rt::child_pool("printers", printers)}});

    // The same key goes to the same member.
    for (const char* key : {"apple", "pear", "plum"})
      rt::cast(shelves, rt::by_key(std::string(key)), Shelf::Put{key, 7});
    std::string pear = "pear";
    std::printf("pear %d\n", rt::call(shelves, rt::by_key(pear), Shelf::Get{pear}));

    // Two print at a time, the others wait their turn.
    for (int i = 0; i < 6; ++i) {
      rt::spawn_link([printers, owner = rt::self()] {
        rt::send(owner, rt::call(printers, Printer::Print{"page"}));
      });
    }
    std::map<rt::Pid, int> pages;
    for (int i = 0; i < 6; ++i) ++pages[rt::receive<rt::Pid>()];
    std::printf("%zu printers\n", pages.size());

    // One that fails comes back in its place; who called it learns why it failed.
    auto jam = rt::try_call(printers, Printer::Print{"jam"});
    std::printf("%s\n", std::string(jam.error().reason().what()).c_str());
    for (int i = 0; i < 6; ++i) rt::call(printers, Printer::Print{"page"});
    std::printf("%zu printers again\n", printers.info().members.size());
    rt::stop(top);
  });
}
