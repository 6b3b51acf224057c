// commands.hpp: what airs-inspect can be asked for, each as the text that it prints.
//
// Each throws Failure, with a sentence, when there is nothing to show. With `json`, what the
// program answered, for other programs to read; else columns for people.
#pragma once

#include <cstddef>
#include <string>

#include "tools/inspect/programs.hpp"
#include "tools/inspect/screen.hpp"
#include "tools/inspect/tree.hpp"

namespace airssys::rt::inspect {

enum class Output : bool { text, json };

// All programs that can be looked into; with `clean`, sockets of dead ones are removed.
std::string list_programs(bool clean, Output output, const Screen& screen);

struct PsOptions {
  std::string sort = "pid";
  bool is_reversed = false;
  std::size_t top = 0;  // how many; 0: all
};
std::string list_processes(const Choice& choice,
                           const PsOptions& options,
                           Output output,
                           const Screen& screen);

std::string show_tree(const Choice& choice,
                      const TreeLimits& limits,
                      Output output,
                      const Screen& screen);

// `who`: a pid or a slot, as parse_process takes it.
std::string show_process(const Choice& choice,
                         const std::string& who,
                         Output output,
                         const Screen& screen);

std::string list_schedulers(const Choice& choice, Output output, const Screen& screen);

}  // namespace airssys::rt::inspect
