#include "ota-server/shell/pages.h"

extern const char server_openapi_json[], server_openapi_esim_json[], server_viewer_html[],
    server_viewer_js[], server_viewer_css[];

const struct api_file server_pages[] = {
    {"/docs/", "text/html", server_viewer_html},
    {"/docs/viewer.js", "text/javascript", server_viewer_js},
    {"/docs/viewer.css", "text/css", server_viewer_css},
    {"/docs/connectivity-management.json", "application/json", server_openapi_json},
    {"/docs/esim-profile-management.json", "application/json", server_openapi_esim_json},
    {NULL, NULL, NULL},
};
