// SPDX-License-Identifier: Apache-2.0
#include "core/curl.hpp"

#include <dlfcn.h>

#include <new>

#include "vdk/core/error.hpp"
#include "vdk/core/process.hpp"

namespace vdk::http {
namespace {

template <typename Function>
bool load(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

Curl load_curl() {
  void* library = nullptr;
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    if (library == nullptr) {
      library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
  }
  Curl curl;
  decltype(&::curl_global_init) global_init = nullptr;
  const bool complete =
      library != nullptr && load(library, "curl_easy_init", curl.init) &&
      load(library, "curl_easy_reset", curl.reset) && load(library, "curl_easy_setopt", curl.setopt) &&
      load(library, "curl_easy_perform", curl.perform) && load(library, "curl_easy_getinfo", curl.getinfo) &&
      load(library, "curl_easy_cleanup", curl.cleanup) && load(library, "curl_easy_strerror", curl.strerror) &&
      load(library, "curl_slist_append", curl.append) && load(library, "curl_slist_free_all", curl.free_all) &&
      load(library, "curl_getdate", curl.getdate) && load(library, "curl_global_init", global_init) &&
      global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!complete) {
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
