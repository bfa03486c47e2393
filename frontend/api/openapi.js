export const OPENAPI_URL = "/openapi.json";
