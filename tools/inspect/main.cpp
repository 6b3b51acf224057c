// main.cpp: airs-inspect: looks into a running program of this user's that uses airssys-rt.
//
// Exit codes: 0 shown, 1 there is nothing to show or nobody answers, 2 the command line makes no
// sense.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include "tools/inspect/commands.hpp"

namespace {

namespace inspect = airssys::rt::inspect;

constexpr int nothing_to_show = 1;
constexpr int wrong_usage = 2;

// What the command line says.
struct Wish {
  inspect::Choice choice;
  bool as_json = false;
  bool clean = false;
  inspect::PsOptions ps;
  inspect::TreeLimits tree;
  std::string who;

  inspect::Output output() const { return as_json ? inspect::Output::json : inspect::Output::text; }
};

void add_json(CLI::App& command, Wish& wish) {
  command.add_flag("--json", wish.as_json, "Answer as JSON");
}

void add_choice(CLI::App& command, Wish& wish) {
  auto* socket = command.add_option("--socket", wish.choice.socket, "The program's socket");
  command
      .add_option(
          "--pid", wish.choice.process_id, "The program's process id (default: the only one)")
      ->check(CLI::PositiveNumber)
      ->excludes(socket);
  add_json(command, wish);
}

using Show = std::function<std::string(const inspect::Screen& screen)>;

void add_commands(CLI::App& app, Wish& wish, Show& show) {
  CLI::App* list = app.add_subcommand("list", "The programs that can be looked into");
  list->add_flag("--clean", wish.clean, "Remove the sockets of dead programs");
  add_json(*list, wish);
  list->callback([&] {
    show = [&](const auto& screen) {
      return inspect::list_programs(wish.clean, wish.output(), screen);
    };
  });

  CLI::App* ps = app.add_subcommand("ps", "All processes, and circles among those that wait");
  ps->add_option("-s,--sort", wish.ps.sort, "By which column; figures: largest first")
      ->check(CLI::IsMember(inspect::sort_keys()))
      ->capture_default_str();
  ps->add_flag("-r,--reverse", wish.ps.is_reversed, "The other way round");
  ps->add_option("-n,--top", wish.ps.top, "Only the first so many")->check(CLI::PositiveNumber);
  add_choice(*ps, wish);
  ps->callback([&] {
    show = [&](const auto& screen) {
      return inspect::list_processes(wish.choice, wish.ps, wish.output(), screen);
    };
  });

  CLI::App* tree = app.add_subcommand("tree", "The processes under who spawned them");
  tree->add_option("--depth", wish.tree.depth, "Generations shown")->capture_default_str();
  tree->add_option("--children", wish.tree.children, "Shown of one process")->capture_default_str();
  add_choice(*tree, wish);
  tree->callback([&] {
    show = [&](const auto& screen) {
      return inspect::show_tree(wish.choice, wish.tree, wish.output(), screen);
    };
  });

  CLI::App* info = app.add_subcommand("info", "One process, which is asked for what only it knows");
  info->add_option("PROCESS", wish.who, "<0.12.1>, 0.12.1, or its slot: 12")
      ->required()
      ->check([](const std::string& who) {
        const auto parsed = airssys::rt::inspector::parse_process(who);
        return parsed ? std::string() : parsed.error().text;
      });
  add_choice(*info, wish);
  info->callback([&] {
    show = [&](const auto& screen) {
      return inspect::show_process(wish.choice, wish.who, wish.output(), screen);
    };
  });

  CLI::App* schedulers = app.add_subcommand("schedulers", "What each scheduler has done so far");
  add_choice(*schedulers, wish);
  schedulers->callback([&] {
    show = [&](const auto& screen) {
      return inspect::list_schedulers(wish.choice, wish.output(), screen);
    };
  });
}

int run(int argc, char** argv) {
  CLI::App app("Looks into a running program that uses airssys-rt.", "airs-inspect");
  app.require_subcommand(1);
  Wish wish;
  Show show;
  add_commands(app, wish, show);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : wrong_usage;
  }
  const std::string text = show(inspect::Screen());
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return is_written && std::fflush(stdout) == 0 ? 0 : nothing_to_show;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "airs-inspect: " << error.what() << '\n';
    return nothing_to_show;
  }
}
