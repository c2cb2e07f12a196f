// SPDX-License-Identifier: MIT
#pragma once

// What the SQL of users may not do on a connection that others use, too: end its transaction, change its settings, make
// things that stay with it, write what services keep. SQLite asks while it compiles a statement, which may be anew when
// the schema has changed: so the rules hold while a user's statement is compiled or run, and cost the statements of
// services nothing.

#include <dormouse/result.hpp>

#include <sqlite3.h>

#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class guest_rules {
 public:
  explicit guest_rules(sqlite3* handle) noexcept;
  ~guest_rules();
  guest_rules(const guest_rules&) = delete;
  guest_rules& operator=(const guest_rules&) = delete;

  // While it lives, the rules hold for one statement.
  class in_force {
   public:
    explicit in_force(guest_rules& rules) noexcept : rules_(rules) {
      rules_.hold_ = true;
      rules_.alters_ = false;
      rules_.refused_size_ = 0;
    }
    ~in_force() { rules_.hold_ = false; }
    in_force(const in_force&) = delete;
    in_force& operator=(const in_force&) = delete;

   private:
    guest_rules& rules_;
  };

  // Of one that was compiled: what SQLite does not ask about, told from its words.
  result<void> check_compiled(std::string_view sql) const;
  // What SQLite has refused in our name is told in our words.
  [[nodiscard]] failure explain(failure why) const;

 private:
  static int ask(void* self, int action, const char* first, const char* second, const char* where,
                 const char*) noexcept;
  int decide(int action, const char* first, const char* second, const char* where) noexcept;
  int protect(const char* one, const char* other) noexcept;
  int refuse(std::string_view why, std::string_view what) noexcept;

  sqlite3* handle_;
  bool hold_ = false;
  bool alters_ = false;
  std::size_t refused_size_ = 0;
  char refused_[192]{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
