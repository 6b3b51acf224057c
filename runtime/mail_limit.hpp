// mail_limit.hpp: how much mail a process may have before it is ended or reported (P18).
//
// Unlike a bound (bounds.hpp) it makes nobody wait and drops nothing: it is the last resort against
// a process that does not come to its mail. Counted is all mail that was taken in, exits, downs and
// replies, too; looked at when more has been taken in, so at each safe point and each wake. It lies
// among the extras: who has none pays nothing.
#pragma once

#include <airssys/rt/process.hpp>

#include "runtime/process.hpp"

namespace airssys::rt::runtime {

class MailLimit {
 public:
  MailLimit() noexcept = default;  // none
  explicit MailLimit(const MailboxLimit& limit) noexcept : limit_(limit) {}

  // Owner, having taken mail in. True: the process is to end as by a kill.
  bool ends(const Process& process);

 private:
  bool is_exceeded_by(const mailbox::MailQueue& mail) const noexcept;

  MailboxLimit limit_ = {};
  bool was_reported_ = false;  // since it was last within its limit
};

}  // namespace airssys::rt::runtime
