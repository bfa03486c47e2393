import { OPENAPI_URL } from "./api/openapi.js";

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

function followScheme() {
  document.documentElement.classList.toggle("dark-mode", darkScheme.matches); // Swagger UI's own switch
}

followScheme();
darkScheme.addEventListener("change", followScheme);

// Where it did not arrive, the page's link to the description stays.
globalThis.SwaggerUIBundle?.({
  url: OPENAPI_URL,
  dom_id: "#main",
  deepLinking: false, // it would put a link inside each operation's button
  defaultModelsExpandDepth: 0,
  validatorUrl: null, // the validator would be another origin
});
