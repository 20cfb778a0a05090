// SPDX-License-Identifier: Apache-2.0
#pragma once

// The macros that check argument types call curl functions by their linked names.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace vdk::http {

/// libcurl's functions, loaded when first asked for: linked, they would triple the start time of every command.
struct Curl {
  decltype(&::curl_easy_init) init = nullptr;
  decltype(&::curl_easy_reset) reset = nullptr;
  decltype(&::curl_easy_setopt) setopt = nullptr;
  decltype(&::curl_easy_perform) perform = nullptr;
  decltype(&::curl_easy_getinfo) getinfo = nullptr;
  decltype(&::curl_easy_cleanup) cleanup = nullptr;
  decltype(&::curl_easy_strerror) strerror = nullptr;
  decltype(&::curl_slist_append) append = nullptr;
  decltype(&::curl_slist_free_all) free_all = nullptr;
  decltype(&::curl_getdate) getdate = nullptr;
};

/// Throws Error(platform) when the library is not installed.
[[nodiscard]] const Curl& curl();

using Handle = std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)>;
[[nodiscard]] Handle make_handle();

/// A list of header or recipient lines for libcurl.
class Lines {
 public:
  void add(const std::string& line);
  [[nodiscard]] curl_slist* get() const noexcept { return m_list.get(); }

 private:
  struct Free {
    void operator()(curl_slist* list) const { curl().free_all(list); }
  };
  std::unique_ptr<curl_slist, Free> m_list;
};

/// What every transfer gets: no signals, an error text, cancellation. `error` holds CURL_ERROR_SIZE bytes.
void prepare(CURL* handle, char* error, const std::atomic<bool>* cancelled);

/// The file of trusted authorities: `file`, else $SSL_CERT_FILE, else libcurl's own.
void set_ca(CURL* handle, const std::string& file);

/// libcurl's own words about a failed transfer.
[[nodiscard]] std::string reason(CURLcode code, const char* error);

/// Scheme, host, port and path of an address: what a message may show. Login, query and fragment are left out.
[[nodiscard]] std::string printable(std::string_view url);

}  // namespace vdk::http
