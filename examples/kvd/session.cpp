// session.cpp: small talk.
//
// CONFIG GET knows what tools ask for before they start; COMMAND describes what the table holds.
#include "examples/kvd/session.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "examples/kvd/glob.hpp"
#include "examples/kvd/integer.hpp"
#include "examples/kvd/reply.hpp"

namespace kvd {
namespace {

using Words = std::span<const std::string_view>;

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

void append_subcommand_error(std::string& out, std::string_view command, std::string_view word) {
  constexpr std::size_t quoted_max = 128;
  append_error(out,
               "ERR unknown subcommand '" + std::string(quotable(word, quoted_max)) + "'. Try " +
                   std::string(command) + " HELP.");
}

// The answer to `words`, a command and HELP: which subcommands there are.
void append_help(std::string& out, Words words, std::initializer_list<std::string_view> forms) {
  std::string command = lowered(words[0]);
  if (words.size() != 2) return append_arity_error(out, command + "|help");
  append_array(out, forms.size() + 2);
  append_simple(out, command + " <subcommand> [<arg> ...]. Subcommands are:");
  for (std::string_view form : forms) append_simple(out, form);
  append_simple(out, "HELP");
}

// Else a word of CONFIG GET is a name as it stands, and answered as it was written.
bool is_pattern(std::string_view word) noexcept {
  return word.find_first_of("*?[") != std::string_view::npos;
}

std::vector<std::pair<std::string, std::string>> parameters(const Settings& settings) {
  return {
      {"appendfsync", to_string(settings.fsync)},
      {"appendonly", "yes"},
      {"bind", settings.bind},
      {"databases", "1"},
      {"dir", settings.data.string()},
      {"maxclients", std::to_string(settings.clients_max)},
      {"maxmemory", std::to_string(settings.memory_bytes_max)},
      {"maxmemory-policy", "noeviction"},
      {"port", std::to_string(settings.port)},
      {"proto-max-bulk-len", std::to_string(settings.value_bytes_max)},
      {"save", ""},
  };
}

void append_description(std::string& out, const CommandInfo& info) {
  std::vector<std::string_view> flags;
  if ((info.effects & writes) != 0) flags.push_back("write");
  if ((info.effects & reads) != 0) flags.push_back("readonly");
  if ((info.effects & grows) != 0) flags.push_back("denyoom");
  append_array(out, 10);
  append_bulk(out, info.name);
  append_integer(out, info.arity);
  append_array(out, flags.size());
  for (std::string_view flag : flags) append_simple(out, flag);
  append_integer(out, info.first_key);
  append_integer(out, info.last_key);
  append_integer(out, info.key_step);
  // Access categories, hints, key specifications, subcommands: we have none.
  for (int empty = 0; empty < 4; ++empty) append_array(out, 0);
}

void append_descriptions(std::string& out, Words names) {
  append_array(out, names.size());
  for (std::string_view name : names) {
    const CommandInfo* info = find_command(name);
    if (info) {
      append_description(out, *info);
    } else {
      append_null(out);
    }
  }
}

// Redis lets a client's name be shown in lists, so it holds no blanks and no control bytes.
bool is_client_name(std::string_view name) noexcept {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

}  // namespace

void Session::answer(Command command, Words words, std::string& out) {
  switch (command) {
    case Command::ping:
      return answer_ping(words, out);
    case Command::echo:
      return append_bulk(out, words[1]);
    case Command::select:
      return answer_select(words, out);
    case Command::client:
      return answer_client(words, out);
    case Command::config:
      return answer_config(words, out);
    case Command::command:
      return answer_command(words, out);
    case Command::quit:
      close();
      return append_simple(out, "OK");
    default:
      append_error(out, "ERR this command is not answered here");
  }
}

void Session::answer_ping(Words words, std::string& out) {
  if (words.size() > 2) return append_arity_error(out, "ping");
  if (words.size() == 2) return append_bulk(out, words[1]);
  append_simple(out, "PONG");
}

void Session::answer_select(Words words, std::string& out) {
  std::optional<std::int64_t> database = parse_integer(words[1]);
  if (!database) return append_error(out, not_an_integer);
  if (!std::in_range<int>(*database))
    return append_error(out,
                        "ERR value is out of range, value must between -2147483648 and 2147483647");
  if (*database != 0) return append_error(out, "ERR DB index is out of range");
  append_simple(out, "OK");
}

void Session::answer_client(Words words, std::string& out) {
  if (is_word(words[1], "id")) {
    if (words.size() != 2) return append_arity_error(out, "client|id");
    return append_integer(out, static_cast<std::int64_t>(id_));
  }
  if (is_word(words[1], "getname")) {
    if (words.size() != 2) return append_arity_error(out, "client|getname");
    return name_.empty() ? append_null(out) : append_bulk(out, name_);
  }
  if (is_word(words[1], "setname")) {
    if (words.size() != 3) return append_arity_error(out, "client|setname");
    if (!is_client_name(words[2]))
      return append_error(
          out, "ERR Client names cannot contain spaces, newlines or special characters.");
    name_ = words[2];
    return append_simple(out, "OK");
  }
  if (is_word(words[1], "help"))
    return append_help(out, words, {"GETNAME", "ID", "SETNAME <name>"});
  append_subcommand_error(out, "CLIENT", words[1]);
}

void Session::answer_config(Words words, std::string& out) {
  if (is_word(words[1], "help")) return append_help(out, words, {"GET <pattern> ..."});
  if (!is_word(words[1], "get")) return append_subcommand_error(out, "CONFIG", words[1]);
  if (words.size() < 3) return append_arity_error(out, "config|get");
  std::string found;
  std::size_t count = 0;
  for (const auto& [name, value] : parameters(settings_)) {
    auto asks = [&](std::string_view word) {
      return is_pattern(word) ? glob_matches(lowered(word), name) : is_word(word, name);
    };
    auto word = std::ranges::find_if(words.subspan(2), asks);
    if (word == words.end()) continue;
    append_bulk(found, is_pattern(*word) ? name : *word);
    append_bulk(found, value);
    count += 2;
  }
  append_array(out, count);
  out += found;
}

void Session::answer_command(Words words, std::string& out) {
  bool is_info = words.size() > 1 && is_word(words[1], "info");
  if (words.size() == 1 || (is_info && words.size() == 2)) {
    append_array(out, all_commands().size());
    for (const CommandInfo& info : all_commands()) append_description(out, info);
  } else if (is_info) {
    append_descriptions(out, words.subspan(2));
  } else if (is_word(words[1], "count")) {
    if (words.size() != 2) return append_arity_error(out, "command|count");
    append_integer(out, static_cast<std::int64_t>(all_commands().size()));
  } else if (is_word(words[1], "docs")) {
    append_array(out, 0);
  } else if (is_word(words[1], "help")) {
    append_help(out, words, {"COUNT", "DOCS", "INFO [<command-name> ...]"});
  } else {
    append_subcommand_error(out, "COMMAND", words[1]);
  }
}

}  // namespace kvd
