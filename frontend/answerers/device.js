/**
 * An answerer (see service.js) that sends nothing: the same model in this browser. It needs the service once, for the model's
 * files, and goes on without, after a reload too where the browser could keep them.
 */
import { fetchModel } from "../api/model-files.js";
import { fetchModels } from "../api/models.js";
import { Problem } from "../api/problem.js";
import { modelNamed } from "../lib/model-choice.js";
import { LocalModel } from "../network/local-model.js";
import { keepModel, keptModel } from "../offline/kept-model.js";

/** `load(name)` resolves to the LocalModel of this name, null for the default. */
export function deviceAnswerer({ load = loadNamed } = {}) {
  let opened = { name: undefined, model: null }; // the last one that was asked, and a promise of it

  function modelOf(name) {
    if (opened.name === name) return opened.model;
    opened.model?.then((model) => model.close()).catch(() => {}); // that it failed was said when it did
    const model = load(name);
    opened = { name, model };
    model.catch(() => {
      if (opened.model === model) opened = { name: undefined, model: null }; // the next photo tries again
    });
    return model;
  }

  return {
    /** Have the model here before the first photo. Resolves to: whether it is kept for when the service is away. Throws: Problem */
    async prepare({ model = null }) {
      try {
        return await keepModel((await modelOf(model)).manifest);
      } catch (error) {
        throw problemOf(error);
      }
    },

    async predict(photo, { model = null, signal }) {
      try {
        const local = await modelOf(model);
        signal.throwIfAborted();
        return await local.predictPhoto(photo);
      } catch (error) {
        throw problemOf(error);
      } finally {
        signal.throwIfAborted(); // whatever became of it, nobody wants it any more
      }
    },

    explain: null,
    giveFeedback: null,
  };
}

async function loadNamed(name) {
  return LocalModel.open(await modelFiles(name));
}

/** From the service; from this browser only while that is away. */
async function modelFiles(name) {
  try {
    const found = modelNamed(await fetchModels(), name);
    if (!found) throw new Problem(404);
    return await fetchModel(found);
  } catch (error) {
    const kept = isAway(error) && (await keptModel(name));
    if (!kept) throw error;
    return kept;
  }
}

function isAway({ reason }) {
  return reason === "network" || reason === "timeout" || reason >= 500;
}

function problemOf(error) {
  if (error.name === "UnreadablePhoto") return new Problem("undecodable");
  return error.name === "DamagedModel" ? new Problem("unreadable") : error;
}
