// error.hpp: what a caller can act on.
//
// A verb throws when it cannot do its work; its `try_` twin answers std::expected. Whatever is
// thrown and not caught ends the process with the reason that the exception carries (Z15).
#pragma once

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace airssys::rt {

// Thrown by `exit(reason)`; may be caught, which keeps the process alive (X1).
class ExitException {
 public:
  explicit ExitException(ExitReason reason) noexcept : reason_(std::move(reason)) {}
  const ExitReason& reason() const noexcept { return reason_; }

 private:
  ExitReason reason_;
};

// The base of errors that end their process with a reason of their own when nobody catches them.
class ProcessError : public std::exception {
 public:
  ProcessError(ExitReason reason, std::string what)
      : reason_(std::move(reason)), what_(std::move(what)) {}

  // Why the other side failed; what the process ends with if this error is not caught.
  const ExitReason& reason() const noexcept { return reason_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  ExitReason reason_;
  std::string what_;
};

// The arguments make no sense, or the verb cannot be used here; the text says what to do.
class BadArgument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// A wait was asked for while the process is being unwound (Z3): a destructor must not wait.
class Unwinding : public std::logic_error {
 public:
  Unwinding() : std::logic_error("a destructor waited while its process was being ended") {}
};

// Why a call got no answer (G5).
class CallError : public ProcessError {
 public:
  enum Kind : std::uint8_t {
    timeout,          // no answer in time; a late one is dropped
    noproc,           // no such process, or no such name
    exited,           // it ended before it answered: reason() says why
    wrong_type,       // the process is not such a server
    calling_self,     // a server cannot wait for its own answer
    circle,           // it would wait for one who waits for it in turn: what() names them
    unwinding,        // the caller is being ended (Z3)
    callback_failed,  // a function that was sent there threw: reason() says what (C3)
    overloaded,       // its mailbox is full, or too many wait already for a member of the pool
  };

  CallError(Kind kind, ExitReason reason, std::string what)
      : ProcessError(std::move(reason), std::move(what)), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

// Why a name could not be given, taken or found (N1, N3, N6).
class NameError : public ProcessError {
 public:
  enum Kind : std::uint8_t {
    taken,           // somebody has that name: holder() says who
    already_named,   // the process has a name
    no_process,      // it is dead
    not_registered,  // nobody has that name, or who should have it has not: holder() says who has
    bad_name,        // the empty name is reserved
  };

  NameError(Kind kind, const std::string& name, Pid holder = {});
  Kind kind() const noexcept { return kind_; }
  Pid holder() const noexcept { return holder_; }

 private:
  Kind kind_;
  Pid holder_;
};

// Why a process could not be started (G3, V20).
class StartError : public ProcessError {
 public:
  enum Kind : std::uint8_t {
    error,            // its start failed: reason() says why, pid() who has its name, if that is it
    ignore,           // it chose not to run
    already_started,  // it runs: pid() says where
    already_present,  // its specification is there, but it does not run
    timeout,          // its start took too long; it was killed
    limit_reached,    // the supervisor has as many children as it may
    bad_spec,         // what() names the child and the field
    no_supervisor,    // the supervisor is gone
    circle,           // the supervisor waits for the caller: what() names them
    calling_self,     // the caller is the supervisor
    overloaded,       // the supervisor's mailbox is full
    unwinding,        // the caller is being ended (Z3)
  };

  StartError(Kind kind, ExitReason reason, std::string what, Pid pid = {})
      : ProcessError(std::move(reason), std::move(what)), kind_(kind), pid_(pid) {}
  Kind kind() const noexcept { return kind_; }
  Pid pid() const noexcept { return pid_; }

 private:
  Kind kind_;
  Pid pid_;
};

// In a catch block: the reason with which the exception that is being handled ends a process (Z6):
// that of an ExitException or ProcessError, error{type, what} of a std::exception, error{nocatch}
// of anything else. Any thread.
ExitReason reason_of_current_exception();

// Why a spawn, or a blocking job, was refused. For its name a plain spawn throws a NameError (P3).
class SpawnError : public ProcessError {
 public:
  enum Kind : std::uint8_t {
    stopping,       // the runtime is
    limit_reached,  // the process table is full, or there is no thread for a blocking job
    name_taken,     // somebody has its name: holder() says who
    already_named,  // somebody has given it another name before it had its own
  };

  SpawnError(Kind kind, ExitReason reason, std::string what, Pid holder = {})
      : ProcessError(std::move(reason), std::move(what)), kind_(kind), holder_(holder) {}
  Kind kind() const noexcept { return kind_; }
  Pid holder() const noexcept { return holder_; }

 private:
  Kind kind_;
  Pid holder_;
};

}  // namespace airssys::rt
