localrules:
    train,


rule train:
    input:
        made_by("train"),


rule train_cell:
    input:
        unpack(reads("train")),
    output:
        **writes("train"),
    log:
        RULES.log("train", *CELL),
    benchmark:
        RULES.runtime("train", *CELL)
    priority: RULES.priority
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks("train", "train", *CELL),
    params:
        device=RULES.device,
        settings=settings("train"),
        state=RULES.state,
        study=RULES.study.study,
        root=root("train"),
    message:
        "train {wildcards.dataset} {wildcards.method} seed {wildcards.seed}"
    shell:
        "sagan-div train --study {params.study} --root {params.root:q} --settings {params.settings:q} {params.state}"
        " --device {params.device:q} --threads {threads} > {log:q} 2>&1"
