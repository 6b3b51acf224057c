// Mailboxes: one order per sender, receive by type or by what is inside, addresses that end.
#include <airssys/rt.hpp>
#include <cstdio>
#include <memory>
#include <string>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

struct Line {
  int number;
};
struct Question {
  rt::Alias answer_to;
};
struct Answer {
  std::string text;
};

int main() {
  return rt::run([] {
    // From one sender to one process, what was sent first arrives first, whatever it is.
    rt::Pid me = rt::self();
    for (int number = 1; number <= 3; ++number) rt::send(me, Line{number});
    rt::send(me, std::make_unique<std::string>("moved, never copied"));

    // The first message that a clause takes; what nobody takes stays where it is.
    rt::receive([](std::unique_ptr<std::string> text) { std::puts(text->c_str()); });
    rt::receive(rt::when([](const Line& line) { return line.number == 2; },
                         [](Line line) { std::printf("line %d\n", line.number); }));
    while (auto line = rt::receive<Line>(0s)) std::printf("line %d\n", line->number);

    // An address that lasts for one answer: the second, late one never enters the mailbox.
    rt::Alias once = rt::alias(rt::AliasUse::once);
    rt::Pid chatty = rt::spawn([] {
      Question question = rt::receive<Question>();
      rt::send(question.answer_to, Answer{"yes"});
      rt::send(question.answer_to, Answer{"or perhaps not"});
    });
    rt::MonitorRef gone = rt::monitor(chatty);
    rt::send(chatty, Question{once});
    rt::receive(rt::when([&](const rt::Down& down) { return down.ref == gone; }, [](rt::Down) {}));
    while (auto answer = rt::receive<Answer>(0s)) std::puts(answer->text.c_str());

    // Whatever is left, one by one.
    rt::send(me, 42);
    rt::Message any = rt::receive<rt::Message>();
    std::printf("an int: %d\n", any.is<int>() ? any.take<int>() : 0);
  });
}
