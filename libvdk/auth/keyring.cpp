// SPDX-License-Identifier: Apache-2.0
#include "auth/keyring.hpp"

#include <array>
#include <cstdint>

#include "auth/oauth.hpp"
#include "core/shared_library.hpp"
#include "vdk/core/error.hpp"

namespace vdk::auth::keyring {
namespace {

// The parts of libsecret's interface that are used here, as its manual declares them.
struct Attribute {
  const char* name;
  int type;
};
struct Schema {
  const char* name;
  int flags;
  std::array<Attribute, 32> attributes;
  int reserved;
  std::array<void*, 7> more;
};
struct Failure {
  std::uint32_t domain;
  int code;
  char* message;
};
using Store = int (*)(const Schema*, const char* collection, const char* label, const char* password, void* cancellable,
                      Failure**, ...);
using Lookup = char* (*)(const Schema*, void* cancellable, Failure**, ...);
using Clear = int (*)(const Schema*, void* cancellable, Failure**, ...);
using Free = void (*)(char*);

struct Library {
  Store store = nullptr;
  Lookup lookup = nullptr;
  Clear clear = nullptr;
  Free free = nullptr;
};

[[noreturn]] void fail(const std::string& why, const std::string& countermeasures) {
  throw Error(ErrorKind::platform,
              {"cannot use the system's keyring", why, "the login was neither read nor changed", countermeasures});
}

const Library& library() {
  static const Library loaded = [] {
    SharedLibrary secret{"libsecret-1.so.0"};
    Library functions;
    secret.find("secret_password_store_sync", functions.store);
    secret.find("secret_password_lookup_sync", functions.lookup);
    secret.find("secret_password_clear_sync", functions.clear);
    secret.find("secret_password_free", functions.free);
    if (!secret.problem().empty()) {
      fail(secret.problem(), "install the package libsecret-1-0, or log in with `--store file`");
    }
    return functions;
  }();
  return loaded;
}

const Schema& schema() {
  static const Schema made = [] {
    Schema empty{};
    empty.name = "vdk.Credentials";
    empty.attributes[0] = {"file", 0};
    return empty;
  }();
  return made;
}

void check(const Failure* failure) {
  if (failure != nullptr) {  // the process ends soon: its memory is not given back
    fail(printable_text(failure->message == nullptr ? "it did not answer" : failure->message),
         "start and unlock a keyring service (it needs a D-Bus session), or log in with `--store file`");
  }
}

}  // namespace

void store(const std::string& file, const std::string& secrets) {
  Failure* failure = nullptr;
  const int stored = library().store(&schema(), "default", "Login of vdk", secrets.c_str(), nullptr, &failure, "file",
                                     file.c_str(), nullptr);
  check(failure);
  if (stored == 0) {
    fail("it did not take the login", "unlock it, or log in with `--store file`");
  }
}

std::optional<std::string> load(const std::string& file) {
  Failure* failure = nullptr;
  char* found = library().lookup(&schema(), nullptr, &failure, "file", file.c_str(), nullptr);
  check(failure);
  if (found == nullptr) {
    return std::nullopt;
  }
  std::string secrets = found;
  library().free(found);
  return secrets;
}

void erase(const std::string& file) {
  Failure* failure = nullptr;
  (void)library().clear(&schema(), nullptr, &failure, "file", file.c_str(), nullptr);
  check(failure);
}

}  // namespace vdk::auth::keyring
