/**
 * Which of the served models is asked.
 *
 * A model is asked for by its name, or as name/version where several versions of it are served. The default one needs no name:
 * the address stays plain, and follows the service when it makes another one the default.
 */

/** Returns: [{ id, title, isDefault }], the default first. */
export function modelChoices(models) {
  const isAlone = ({ name }) => models.filter((model) => model.name === name).length === 1;
  return models
    .map((model) => ({
      id: isAlone(model) ? model.name : `${model.name}/${model.version}`,
      title: isAlone(model) ? model.name : `${model.name}, version ${model.version}`,
      isDefault: Boolean(model.default),
    }))
    .sort((one, other) => Number(other.isDefault) - Number(one.isDefault));
}

/** The model that the address asks for, or null for the default. */
export function modelFromAddress(search) {
  return new URLSearchParams(search).get("model") || null;
}

/** The same, if it is served: an outdated link still gets an answer, from the default. Without a list the name is taken at its word. */
export function servedModel(id, choices) {
  if (choices.length === 0) return id;
  return choices.some((choice) => choice.id === id && !choice.isDefault) ? id : null;
}

/** The served model of this name, of several versions the highest; the default for null. Returns: undefined where there is none. */
export function modelNamed(models, id) {
  return models.findLast(({ name, version, default: isDefault }) => (id === null ? isDefault : id === name || id === `${name}/${version}`));
}
