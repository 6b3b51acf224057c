// mail_limit.cpp: looking at a mailbox, and saying that it is too large.
#include "runtime/mail_limit.hpp"

#include <utility>

#include "runtime/crash_report.hpp"

namespace airssys::rt::runtime {

bool MailLimit::is_exceeded_by(const mailbox::MailQueue& mail) const noexcept {
  return (limit_.messages != 0 && mail.count() > limit_.messages) ||
         (limit_.bytes != 0 && mail.bytes() > limit_.bytes);
}

bool MailLimit::ends(const Process& process) {
  if (!is_exceeded_by(process.mail)) {
    was_reported_ = false;
    return false;
  }
  if (!std::exchange(was_reported_, true)) report_mailbox(process);
  return limit_.exceeded == WhenExceeded::kill;
}

}  // namespace airssys::rt::runtime
