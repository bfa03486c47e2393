/**
 * A network from its architecture, as the manifest lists it, and its parameters, as safetensors.js reads them.
 *
 * A parameter is named by its layer's type and place among its neighbours of that type, "conv2d1.weight"; one inside another
 * layer carries both names, "residual2.conv2d1.weight": the names that nnlib gives.
 */
import { DamagedModel } from "./damaged-model.js";
import { LAYERS } from "./layers.js";

/** Returns: the functions of the layers, to be applied one after the other. Throws: DamagedModel */
export function buildNetwork(architecture, parameters, prefix = "") {
  const seen = {};
  return architecture.map(({ type, ...config }) => {
    if (!Object.hasOwn(LAYERS, type)) throw new DamagedModel(`no layer of type ${type} is known here`);
    seen[type] = (seen[type] ?? 0) + 1;
    const name = `${prefix}${type.toLowerCase()}${seen[type]}`;
    return LAYERS[type](config, {
      take: (parameter, shape) => taken(parameters, `${name}.${parameter}`, shape),
      build: (body) => buildNetwork(body, parameters, `${name}.`),
    });
  });
}

function taken(parameters, name, shape) {
  const found = parameters.get(name);
  if (!found) throw new DamagedModel(`${name} is missing`);
  if (found.shape.join() !== shape.join()) throw new DamagedModel(`${name} has the shape ${found.shape}, expected ${shape}`);
  return found.values;
}
