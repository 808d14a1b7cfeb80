// A SCIM 2.0 server for tests: SCIMMY (https://scimmyjs.github.io) over Express,
// with people and groups in memory. Usage: node server.mjs TOKEN. It listens on the loopback,
// prints its port, and ends when its standard input does.
import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const token = process.argv[2];
const people = new Map();
const groups = new Map();

const { Attribute, SchemaDefinition } = SCIMMY.Types;
const badges = new SchemaDefinition("Badges", "urn:ietf:params:scim:schemas:extension:lab:2.0:User", "A person's badges", [
  new Attribute("complex", "badges", { multiValued: true }, [new Attribute("string", "type"), new Attribute("string", "value")]),
]);

SCIMMY.Resources.declare(SCIMMY.Resources.User)
  .extend(SCIMMY.Schemas.EnterpriseUser, false)
  .extend(badges, false)
  .ingress((resource, data) => {
    const person = { ...JSON.parse(JSON.stringify(data)), id: resource.id ?? randomUUID() };
    people.set(person.id, person);
    return person;
  })
  .egress((resource) => {
    if (resource.id) return people.get(resource.id);
    const all = [...people.values()];
    return resource.filter ? resource.filter.match(all) : all;
  })
  .degress((resource) => people.delete(resource.id));

SCIMMY.Resources.declare(SCIMMY.Resources.Group)
  .ingress((resource, data) => {
    const group = { ...JSON.parse(JSON.stringify(data)), id: resource.id ?? randomUUID() };
    groups.set(group.id, group);
    return group;
  })
  .egress((resource) => {
    if (resource.id) return groups.get(resource.id);
    const all = [...groups.values()];
    return resource.filter ? resource.filter.match(all) : all;
  })
  .degress((resource) => groups.delete(resource.id));

const app = express();
app.use("/scim/v2", new SCIMMYRouters({
  type: "bearer",
  handler: (request) => {
    if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("token expired");
    return "stump";
  },
}));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
