// named_program.hpp: a program that has its name in a registry of the user's own.
//
// It stands around the program of the process: takes the name, first of all, and then is that
// program. The name is given up by the end of the process (via.cpp).
#pragma once

#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/via.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt::supervision {

class NamedProgram final : public detail::Program {
 public:
  NamedProgram(std::unique_ptr<detail::Program> program,
               Starter starter,
               std::shared_ptr<Registry> registry,
               std::string name)
      : program_(std::move(program)),
        starter_(starter),
        registry_(std::move(registry)),
        name_(std::move(name)) {}

  void run() override;
  Behaviour* behaviour() noexcept override { return program_->behaviour(); }
  bool takes_requests() const noexcept override { return program_->takes_requests(); }
  const std::string_view* name() const noexcept override { return program_->name(); }

 private:
  std::unique_ptr<detail::Program> program_;
  Starter starter_;
  std::shared_ptr<Registry> registry_;
  std::string name_;
};

}  // namespace airssys::rt::supervision
