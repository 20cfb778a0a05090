// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"

namespace vdk::test {

/// Debian's own Python has the mail server that the tests use.
constexpr const char* k_python = "/usr/bin/python3";

/// A server of servers.py, or of another script below tests, on 127.0.0.1; it ends with this object.
class Server {
 public:
  explicit Server(const std::vector<std::string>& arguments, const std::string& name = "unit/core/servers.py") {
    int input[2];
    int output[2];
    if (::pipe(input) != 0 || ::pipe(output) != 0) {
      return;
    }
    const std::string script = (std::filesystem::path(VDK_TESTS) / name).string();
    std::vector<std::string> words = {k_python, script};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    m_pid = ::fork();
    if (m_pid == 0) {
      ::dup2(input[0], 0);
      ::dup2(output[1], 1);
      for (const int fd : {input[0], input[1], output[0], output[1]}) {
        ::close(fd);
      }
      ::execvp(k_python, argv.data());
      ::_exit(127);
    }
    ::close(input[0]);
    ::close(output[1]);
    m_input = input[1];
    ::fcntl(m_input, F_SETFD, FD_CLOEXEC);
    char digit = 0;
    while (::read(output[0], &digit, 1) == 1 && digit != '\n') {
      m_port += digit;
    }
    ::close(output[0]);
  }
  ~Server() {
    ::close(m_input);
    ::waitpid(m_pid, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const std::string& port() const { return m_port; }
  [[nodiscard]] std::string url(const std::string& path, const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + m_port + path;
  }

 private:
  pid_t m_pid = -1;
  int m_input = -1;
  std::string m_port;
};

/// A self-made authority and a certificate for `name` that it signed; nothing without openssl.
struct Certificate {
  std::string authority;
  std::string certificate;
  std::string key;
};

inline std::optional<Certificate> make_certificate(const std::filesystem::path& folder, const std::string& name) {
  if (!process::find_program("openssl")) {
    return std::nullopt;
  }
  const auto file = [&](const char* leaf) { return (folder / leaf).string(); };
  const Certificate made{file("ca.pem"), file("server.pem"), file("server.key")};
  const auto run = [](std::vector<std::string> words) {
    return process::run({.argv = std::move(words)}).exit_code == 0;
  };
  files::write_atomic(folder / "san", "subjectAltName=" + name + "\n");
  const bool good =
      run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=vdk test authority",
           "-keyout", file("ca.key"), "-out", made.authority}) &&
      run({"openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=vdk test", "-keyout", made.key, "-out",
           file("request")}) &&
      run({"openssl", "x509", "-req", "-in", file("request"), "-CA", made.authority, "-CAkey", file("ca.key"),
           "-CAcreateserial", "-days", "2", "-extfile", file("san"), "-out", made.certificate});
  return good ? std::optional(made) : std::nullopt;
}

/// An environment variable for as long as this object lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : m_name(name), m_before(process::environment(name)) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (m_before) {
      ::setenv(m_name, m_before->c_str(), 1);
    } else {
      ::unsetenv(m_name);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* m_name;
  std::optional<std::string> m_before;
};

}  // namespace vdk::test
