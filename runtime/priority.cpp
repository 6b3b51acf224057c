// priority.cpp: the place of what goes ahead, made when it is first allowed.
#include "runtime/priority.hpp"

#include "base/assert.hpp"

namespace airssys::rt::runtime {

void allow_priority_mail(Process& process) {
  Extras& extras = extras_of(process);
  if (!extras.priority_end)
    extras.priority_end.emplace(process.mail, mailbox::Cursor::Start::oldest);
}

void find_priority_end(Process& process) noexcept {
  mailbox::Cursor* end = priority_end(process);
  if (!end) return;
  end->find_place();
  for (const mailbox::Signal* next = end->peek(); next && has_gone_ahead(*next); next = end->peek())
    end->skip();
}

void keep_ahead(Process& process, mailbox::Signal& message) {
  if (process.is_ending) return process.mail.append(message);  // its cursors are forgotten
  mailbox::Cursor* end = priority_end(process);
  RT_CHECK(end != nullptr, "S12: mail goes ahead that was not allowed to");
  message.flags |= with_priority;
  end->insert(message);
}

}  // namespace airssys::rt::runtime
