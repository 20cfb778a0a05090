// SPDX-License-Identifier: Apache-2.0
#include "core/curl.hpp"

#include <new>

#include "core/shared_library.hpp"
#include "vdk/core/error.hpp"
#include "vdk/core/process.hpp"

namespace vdk::http {
namespace {

Curl load_curl() {
  SharedLibrary library{"libcurl.so.4", "libcurl-gnutls.so.4"};
  Curl curl;
  decltype(&::curl_global_init) global_init = nullptr;
  library.find("curl_easy_init", curl.init);
  library.find("curl_easy_reset", curl.reset);
  library.find("curl_easy_setopt", curl.setopt);
  library.find("curl_easy_perform", curl.perform);
  library.find("curl_easy_getinfo", curl.getinfo);
  library.find("curl_easy_cleanup", curl.cleanup);
  library.find("curl_easy_strerror", curl.strerror);
  library.find("curl_slist_append", curl.append);
  library.find("curl_slist_free_all", curl.free_all);
  library.find("curl_getdate", curl.getdate);
  library.find("curl_global_init", global_init);
  if (!library.problem().empty() || global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    throw Error(ErrorKind::platform, {"cannot use the network", "libcurl.so.4 cannot be loaded", "nothing was sent",
                                      "install the package libcurl4"});
  }
  return curl;
}

int stop_when_cancelled(void* cancelled, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up_total*/,
                        curl_off_t /*up_now*/) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

}  // namespace

const Curl& curl() {
  static const Curl loaded = load_curl();
  return loaded;
}

Handle make_handle() {
  Handle handle(curl().init(), curl().cleanup);
  if (!handle) {
    throw std::bad_alloc();
  }
  return handle;
}

void Lines::add(const std::string& line) {
  curl_slist* longer = curl().append(m_list.get(), line.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  (void)m_list.release();  // the new head owns the old list
  m_list.reset(longer);
}

void prepare(CURL* handle, char* error, const std::atomic<bool>* cancelled) {
  const auto set = curl().setopt;
  error[0] = '\0';
  set(handle, CURLOPT_ERRORBUFFER, error);
  set(handle, CURLOPT_NOSIGNAL, 1L);
  if (cancelled != nullptr) {
    set(handle, CURLOPT_NOPROGRESS, 0L);
    set(handle, CURLOPT_XFERINFOFUNCTION, stop_when_cancelled);
    set(handle, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(cancelled));
  }
}

void set_ca(CURL* handle, const std::string& file) {
  const std::string chosen = file.empty() ? process::environment("SSL_CERT_FILE").value_or("") : file;
  if (!chosen.empty()) {
    curl().setopt(handle, CURLOPT_CAINFO, chosen.c_str());
  }
}

std::string reason(CURLcode code, const char* error) { return error[0] != '\0' ? error : curl().strerror(code); }

std::string printable(std::string_view url) {
  std::string shown(url.substr(0, url.find_first_of("?#")));
  const std::size_t scheme = shown.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t login = shown.substr(0, shown.find('/', host)).rfind('@');
  if (login != std::string::npos && login >= host) {
    shown.erase(host, login + 1 - host);
  }
  return shown;
}

}  // namespace vdk::http
