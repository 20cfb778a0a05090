// SPDX-License-Identifier: Apache-2.0
#include "control/server/metrics.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using vdk::control::rest::SharedText;
using namespace std::chrono_literals;

TEST_CASE("whoever asks while a text is being made gets the last one") {
  SharedText shared;
  CHECK(shared.get([] { return std::string("first"); }) == "first");
  std::atomic<bool> making{false};
  std::atomic<bool> hold{true};
  std::string slow;
  std::jthread maker([&] {
    slow = shared.get([&] {
      making = true;
      while (hold) {
        std::this_thread::sleep_for(1ms);
      }
      return std::string("second");
    });
  });
  while (!making) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(shared.get([] { return std::string("never made"); }) == "first");
  hold = false;
  maker.join();
  CHECK(slow == "second");
  CHECK(shared.get([] { return std::string("third"); }) == "third");
}

TEST_CASE("a text that cannot be made is made by the next caller") {
  SharedText shared;
  CHECK_THROWS(shared.get([]() -> std::string { throw std::runtime_error("no"); }));
  CHECK(shared.get([] { return std::string("made"); }) == "made");
}
