import { requestJson } from "./request.js";

const DEADLINE_SECONDS = 5;

/** The models served: [{ name, version, default, metrics, … }]. Throws: Problem */
export async function fetchModels({ fetch } = {}) {
  const { models } = await requestJson("/api/models", { deadlineSeconds: DEADLINE_SECONDS, headers: { Accept: "application/json" }, fetch });
  return models;
}
